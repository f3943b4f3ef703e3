"""One full example of each event of a recommendation. Synthetic: no such recommendation was made."""

from __future__ import annotations

from shared.events import recommendations as r
from shared.events.event import Event
from shared.events.values import Evidence, Seen
from tests.contracts.examples.common import CERTAIN, DIGEST

MEETING = Seen(stream="meeting/synthetic-meeting", version=5)
CITED = {"instrument": "synthetic-75-4", "provision": "synthetic-75-4/report"}

EVIDENCE = {
    "meeting": Evidence(meeting="synthetic-meeting"),
    "deliverable": Evidence(deliverable="synthetic-deliverable"),
    "session": Evidence(session=7),
    "document": Evidence(document="SYN/2031/3"),
    "digest": Evidence(digest=DIGEST),
    "text": Evidence(text="A synthetic network of monitors was set up."),
}

EXAMPLES: dict[str, Event] = {
    "RecommendationDrafted": r.RecommendationDrafted(
        reference="SYN/2031/R1",
        title="Synthetic recommendation on clean air",
        text="That members share their synthetic measurements: PM2.5 ≤ 5 µg/m³ — 空气.",
        kinds=("policy", "advocacy", "intergovernmental_action"),
        addressees=("member States", "the synthetic secretariat"),
        themes=("air pollution",),
        priority="synthetic-priority",
        on="2031-03",
        **CERTAIN,
    ),
    "RecommendationRevised": r.RecommendationRevised(
        title="Synthetic recommendation on cleaner air",
        text="That members share and publish.",
        kinds=("policy",),
        addressees=("member States",),
        themes=("air pollution", "data"),
        priority="synthetic-priority",
        on="2031-04",
        **CERTAIN,
    ),
    "RecommendationRevised.clerical": r.RecommendationRevised(
        title="Synthetic recommendation on clean air, rightly spelt", on="2032-11-02", clerical=True, **CERTAIN
    ),
    "MandateCited": r.MandateCited(**CITED, cited_by="the synthetic group", on="2031-03-18", **CERTAIN),
    "MandateUncited": r.MandateUncited(
        **CITED, reason="The synthetic provision was read wrongly.", on="2031-04", **CERTAIN
    ),
    "CitationReconfirmed": r.CitationReconfirmed(**CITED, superseded_by="synthetic-78-2", on="2032", **CERTAIN),
    "OriginRecorded.meeting": r.OriginRecorded(meeting="synthetic-meeting", on="2031-03-18", seen=MEETING, **CERTAIN),
    "OriginRecorded.document": r.OriginRecorded(
        document="Synthetic report of the group",
        symbol="SYN/2031/2",
        symbol_status="recalled",
        paragraph="12 (b)",
        on="2031-03",
        **CERTAIN,
    ),
    "RecommendationDiscussed": r.RecommendationDiscussed(
        meeting="synthetic-meeting", on="2031-03-18", seen=MEETING, **CERTAIN
    ),
    "RecommendationAdopted": r.RecommendationAdopted(
        meeting="synthetic-meeting", adopted_on="2031-03-18", seen=MEETING, **CERTAIN
    ),
    "RecommendationAdopted.version": r.RecommendationAdopted(
        meeting="synthetic-meeting", adopted_on="2031-03-18", text_version=2, seen=MEETING, **CERTAIN
    ),
    "RecommendationAdopted.decision": r.RecommendationAdopted(
        meeting="synthetic-meeting",
        outcome="outcome-1",
        adopted_on="2031-03-18",
        text_version=1,
        seen=Seen(stream="meeting/synthetic-meeting", version=9),
        **CERTAIN,
    ),
    "RecommendationAdopted.unplaced": r.RecommendationAdopted(
        status="unknown", note="Synthetic: the old record does not say where.", source="synthetic record"
    ),
    "RecommendationTransmitted": r.RecommendationTransmitted(
        session=7, document_symbol="SYN/CED/2032/1", symbol_status="inferred", on="2032-11", **CERTAIN
    ),
    "RecommendationTransmitted.version": r.RecommendationTransmitted(
        session=7, on="2032-11", text_version=2, **CERTAIN
    ),
    "CommitteeDispositionRecorded": r.CommitteeDispositionRecorded(
        session=7,
        outcome="endorsed_with_changes",
        on="2032-12-01",
        report_symbol="SYN/CED/2032/9",
        symbol_status="unknown",
        paragraph="4",
        **CERTAIN,
    ),
    "RecommendationCarried": r.RecommendationCarried(instrument="synthetic-80-1", on="2033", **CERTAIN),
    **{
        f"FollowUpReported.{kind}": r.FollowUpReported(
            responsible="the synthetic secretariat",
            progress="under_implementation",
            evidence=evidence,
            on="2033-05",
            due="2034",
            **CERTAIN,
        )
        for kind, evidence in EVIDENCE.items()
    },
    "FollowUpReported.action": r.FollowUpReported(
        action="synthetic action 1", progress="not_started", on="2033-05", due="2034", **CERTAIN
    ),
    "RecommendationSuperseded.by": r.RecommendationSuperseded(by="SYN/2033/R1", on="2033-03-18", **CERTAIN),
    "RecommendationSuperseded.supersedes": r.RecommendationSuperseded(
        supersedes="SYN/2031/R1", on="2033-03-18", **CERTAIN
    ),
    "RecommendationMerged.into": r.RecommendationMerged(into="SYN/2033/R2", on="2033-03", **CERTAIN),
    "RecommendationMerged.absorbs": r.RecommendationMerged(absorbs="SYN/2031/R2", on="2033-03", **CERTAIN),
    "RecommendationSplit.into": r.RecommendationSplit(into=("SYN/2033/R3", "SYN/2033/R4"), on="2033", **CERTAIN),
    "RecommendationSplit.split_from": r.RecommendationSplit(split_from="SYN/2031/R3", on="2033", **CERTAIN),
    "RecommendationWithdrawn": r.RecommendationWithdrawn(reason="Synthetic second thoughts.", on="2033", **CERTAIN),
    "RecordCorrected": r.RecordCorrected(
        corrects=8,
        data={"session": 7, "outcome": "endorsed", "on": "2032-12-01"},
        data_type="throughline.recommendations.CommitteeDispositionRecorded.v1",
        reason="Read in the synthetic report.",
        **CERTAIN,
    ),
    "RecordVoided": r.RecordVoided(voids=3, reason="Entered in the wrong synthetic stream.", **CERTAIN),
}

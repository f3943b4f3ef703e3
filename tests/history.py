"""A synthetic history as Kafka records, and the traces expected from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.recommendations.composing import subset
from services.recommendations.projection import AGGREGATES
from services.recommendations.trace import compose, trace_bytes
from services.recommendations.trace.initiatives import by_provision
from shared.consumer.decoding import decode_record
from shared.consumer.record import ConsumedEvent, KafkaRecord
from shared.events import meetings as m
from shared.events import recommendations as r
from shared.events.canonical import ZERO_HASH
from shared.events.envelope import encode, hash_of, stamp
from shared.events.event import Event
from shared.events.values import ProvisionRef
from shared.projection.fold import UNFOLDED, FoldedState, fold_on
from shared.tlog.trust import LogTrust
from tests.proofs import TRUST, headers_by

START = datetime(2031, 1, 1, tzinfo=UTC)


@dataclass
class History:
    """The Kafka records of a synthetic history by stream, with hash chains and positions as the relay writes them."""

    records: dict[str, list[KafkaRecord]] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    _previous: dict[str, str] = field(default_factory=dict)

    def add(self, stream: str, *events: Event) -> History:
        """Append events to a stream, at least a minute apart."""
        for event in events:
            version = len(self.records.setdefault(stream, [])) + 1
            raw = self.encoded(stream, version, event)
            self._previous[stream] = hash_of(raw)
            self.records[stream].append(self.record(stream, raw, event.service))
        return self

    def encoded(self, stream: str, version: int, event: Event, previous: str | None = None) -> bytes:
        """Encode an event at a version of a stream."""
        return encode(
            event,
            event_id=f"{stream}-{version}-{type(event).__name__}",
            subject=stream,
            time=stamp(START + timedelta(minutes=len(self.positions) + sum(self.positions.values()))),
            version=version,
            actor="synthetic-actor",
            role="secretariat",
            command_id=f"{stream}-{version}",
            correlation_id="synthetic",
            causation_id=None,
            previous_hash=previous or self._previous.get(stream, ZERO_HASH),
        )

    def record(self, stream: str, raw: bytes, service: str) -> KafkaRecord:
        """Return the record of these bytes, at the next position of their service."""
        position = self.positions.get(service, 0)
        self.positions[service] = position + 1
        headers = headers_by(service, raw, position)
        return KafkaRecord(f"throughline.{service}", 0, position, stream.encode(), raw, headers)

    def all(self) -> list[KafkaRecord]:
        """Return all records, stream by stream."""
        return [record for records in self.records.values() for record in records]

    def traces(self) -> dict[str, bytes]:
        """Return the compared bytes of each trace, replayed in memory."""
        return replayed(self.all())


def replayed(records: Sequence[KafkaRecord], trust: LogTrust = TRUST) -> dict[str, bytes]:
    """Return the compared bytes of each trace, by its reference, from records folded in memory."""
    return {reference: trace_bytes(trace) for reference, trace in composed(records, trust=trust).items()}


def composed(
    records: Sequence[KafkaRecord], as_of: date | None = None, trust: LogTrust = TRUST
) -> dict[str, dict[str, Any]]:
    """Return each trace, by its reference, from records folded in memory."""
    events: dict[str, list[ConsumedEvent]] = {}
    for record in records:
        event = decode_record(record, trust)
        assert isinstance(event, ConsumedEvent), event
        events.setdefault(event.recorded.subject, []).append(event)
    states: dict[str, FoldedState] = {}
    for stream, consumed in events.items():
        aggregate = AGGREGATES.get(stream.partition("/")[0], UNFOLDED)
        outcome = fold_on(aggregate, FoldedState(stream, aggregate.initial), consumed)
        assert outcome is not None
        states[stream] = outcome.folded
    initiatives = by_provision(states.values())
    return {
        reference: trace
        for stream in states
        if (reference := stream.removeprefix("recommendation/")) != stream
        and (trace := compose(reference, subset(reference, _filled(states), initiatives), as_of)) is not None
    }


class _Filled(dict[str, FoldedState]):
    def __missing__(self, stream: str) -> FoldedState:
        return FoldedState(stream, AGGREGATES.get(stream.partition("/")[0], UNFOLDED).initial)


def _filled(states: dict[str, FoldedState]) -> dict[str, FoldedState]:
    return _Filled(states)


def a_history() -> History:
    """Return a synthetic history with the hard cases of folding: corrections, supersessions, merges, late facts."""
    history = History()
    for number in (1, 2, 3):
        history.add(
            f"instrument/i{number}",
            r.InstrumentRegistered(
                instrument=f"i{number}", cite=f"Synthetic resolution {number}", body="SYN", title=f"Title {number}"
            ),
            r.ProvisionRegistered(provision=f"i{number}/a", summary="Synthetic ask"),
            r.ProvisionRegistered(provision=f"i{number}/b", summary="Synthetic other ask"),
        )
    history.add("instrument/i1", r.InstrumentSuperseded(by="i2", on="2031-02", status="inferred"))
    history.add("instrument/i2", r.InstrumentEndorsed(by="i3"))
    history.add("session/3", r.CommitteeSessionRecorded(session=3, starts_on="2031-03-01"))
    history.add("deliverable/d1", r.DeliverableRecorded(deliverable="d1", body="SYN", year="2031"))
    history.add("priority/p1", r.PrioritySelected(priority="p1", title="P", outcome="O", timeline_to="2031"))
    history.add(
        "meeting/m1",
        m.MeetingRecorded(meeting="m1", title="Synthetic metting", kind="forum", starts_at="2031-01"),
        m.AttendanceRecorded(
            membership="e1", member="FJI", presence="remote", seen={"stream": "membership/e1", "version": 1}
        ),
        m.RecordCorrected(
            corrects=1,
            data={"meeting": "m1", "title": "Synthetic meeting", "kind": "forum", "starts_at": "2031-01"},
            reason="A synthetic slip of the pen",
        ),
    )
    _recommendations(history)
    return history


def with_texts(history: History) -> History:
    """Add a recommendation that was returned, revised, adopted anew, deferred, put right and endorsed at last."""
    reference = "SYN/2031/R9"
    history.add("session/4", r.CommitteeSessionRecorded(session=4, starts_on="2033-03-01"))
    history.add(
        f"recommendation/{reference}",
        r.RecommendationDrafted(reference=reference, title="Synthetic 9", text="Synthetic text"),
        r.MandateCited(instrument="i3", provision="i3/b"),
        r.RecommendationAdopted(status="unknown", note="Synthetic: silent.", adopted_on="2031-01", text_version=1),
        r.RecommendationTransmitted(session=3, text_version=1),
        r.CommitteeDispositionRecorded(session=3, outcome="returned", on="2031-03-01"),
        r.RecommendationRevised(text="Synthetic text, revised", on="2031-03-02"),
        r.RecommendationAdopted(status="unknown", note="Synthetic: silent.", adopted_on="2031-03", text_version=6),
        r.RecommendationTransmitted(session=3, text_version=6),
        r.CommitteeDispositionRecorded(session=3, outcome="noted"),
        r.RecommendationRevised(title="Synthetic 9, put right", clerical=True),
        r.RecordCorrected(corrects=9, data={"session": 3, "outcome": "deferred"}, reason="Read in the report"),
        r.CommitteeDispositionRecorded(session=4, outcome="endorsed"),
    )
    return history


def with_initiatives(history: History) -> History:
    """Add initiatives: corrected by older code from one provision to another and a third, void, and void no more."""

    def on(initiative: str, *provisions: str) -> r.InitiativeRegistered:
        refs = tuple(ProvisionRef(instrument=each.partition("/")[0], provision=each) for each in provisions)
        return r.InitiativeRegistered(
            initiative=initiative, title="Synthetic initiative", supporting_member="FJI", provisions=refs
        )

    def corrected(*provisions: str) -> r.RecordCorrected:
        data = on("n1", *provisions).model_dump(mode="json", exclude_none=True)
        return r.RecordCorrected(corrects=1, data=data, reason="Synthetic slip")

    history.add("initiative/n1", on("n1", "i1/a"), corrected("i3/a"), corrected("i3/b"))
    history.add("initiative/n2", on("n2", "i1/a", "i2/b"), r.RecordVoided(voids=1, reason="Synthetic mistake"))
    void = r.RecordVoided(voids=1, reason="Synthetic mistake")
    return history.add("initiative/n3", on("n3", "i3/a", "i3/b"), void, r.RecordVoided(voids=2, reason="Synthetic"))


def _recommendations(history: History) -> None:
    seen = {"stream": "meeting/m1", "version": 1}
    for number, instrument in ((1, "i1"), (2, "i3")):
        reference = f"SYN/2031/R{number}"
        history.add(
            f"recommendation/{reference}",
            r.RecommendationDrafted(reference=reference, title=f"Synthetic {number}", priority="p1"),
            r.MandateCited(instrument=instrument, provision=f"{instrument}/a"),
            r.MandateCited(instrument="i2", provision="i2/b", status="verified"),
            r.RecommendationDiscussed(meeting="m1", on="2031-01", seen=seen),
            r.MandateUncited(instrument="i2", provision="i2/b", reason="Synthetic"),
            r.RecommendationAdopted(meeting="m1", adopted_on="2031-01", seen=seen),
            r.RecommendationTransmitted(session=3),
            r.CommitteeDispositionRecorded(session=3, outcome="noted"),
            r.FollowUpReported(progress="implemented", evidence={"deliverable": "d1"}, on="2031"),
        )
    history.add(
        "recommendation/SYN/2031/R1",
        r.RecordCorrected(
            corrects=8, data={"session": 3, "outcome": "endorsed", "on": "2031-03-02"}, reason="Read in the report"
        ),
        r.CitationReconfirmed(instrument="i1", provision="i1/a", superseded_by="i2"),
        r.RecommendationMerged(into="SYN/2031/R2"),
    )
    history.add("recommendation/SYN/2031/R2", r.RecommendationMerged(absorbs="SYN/2031/R1"))

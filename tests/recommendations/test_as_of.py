"""As of a day: each undated fact is marked, in every section; a later fact is not shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

import pytest

from shared.events import meetings as m
from shared.events import recommendations as r
from shared.events.catalogue import EVENTS, decode
from shared.events.event import Correction, Event, Voiding
from shared.events.values import ProvisionRef, Rendition
from tests.cli.record_in_memory import TODAY
from tests.history import History, composed
from tests.recommendations.synthetic import OWN, REFERENCE
from tools.render.trace_text import plain_text

EARLY = date(1990, 1, 1)
SEEN = {"stream": "meeting/m1", "version": 1}
RENDITION = Rendition(media_type="application/pdf", language="en", digest="ab" * 32)
SILENT = {"status": "unknown", "note": "Synthetic: silent."}
PLACES: dict[type[Event], tuple[str, ...]] = {
    r.RecommendationDrafted: ("recommendation.dated",),
    r.RecommendationRevised: ("recommendation.revised.0.dated", "texts.1.dated"),
    r.MandateCited: ("mandates.0.dated", "mandates.1.dated"),
    r.MandateUncited: ("mandates.1.uncited_dated",),
    r.CitationReconfirmed: ("mandates.0.reconfirmed.0.reconfirmed_dated",),
    r.InstrumentRegistered: ("mandates.0.adopted_dated",),
    r.DoubleRegistrationNoted: tuple(f"{of}.0.also_registered_as.0.dated" for of in ("mandates", "lineage.carried_by")),
    r.InstrumentSuperseded: ("mandates.0.reconfirmed.0.dated", "mandates.2.why.0.dated"),
    r.InstrumentReaffirmed: ("mandates.0.related.2.dated",),
    r.InstrumentCarried: ("mandates.0.related.0.dated",),
    r.InstrumentEndorsed: ("mandates.0.related.1.dated",),
    r.ReportingDutyDischarged: ("mandates.0.reports.0.dated",),
    r.PrioritySelected: ("priority.dated",),
    r.PriorityClosed: ("priority.closed.dated",),
    r.OriginRecorded: ("work.0.dated",),
    r.RecommendationDiscussed: ("work.1.dated",),
    r.RecommendationAdopted: ("work.2.dated",),
    m.MeetingRecorded: ("work.0.meeting_dated", "follow_up.0.evidence.dated", "proceedings.0.dated"),
    r.InitiativeRegistered: ("initiatives.0.dated",),
    m.DocumentDisseminated: ("work.0.documents.0.dated",),
    r.RecommendationTransmitted: ("transmission.0.dated",),
    r.CommitteeDispositionRecorded: ("dispositions.0.dated",),
    r.CommitteeSessionRecorded: ("follow_up.1.evidence.dated",),
    r.FollowUpReported: ("follow_up.0.dated", "follow_up.1.dated"),
    r.RecommendationCarried: ("lineage.carried_by.0.dated",),
    r.RecommendationSuperseded: ("lineage.supersedes.0.dated",),
    r.RecommendationMerged: ("lineage.absorbs.0.dated",),
    r.RecommendationSplit: ("lineage.split_into.0.dated", "lineage.split_into.1.dated"),
    r.RecommendationWithdrawn: ("lineage.withdrawn.0.dated",),
    m.ActionPointClosed: ("proceedings.0.outcomes.1.closed.dated",),
}  # fmt: skip
WITHOUT: dict[type[Event], str] = {
    r.ProvisionRegistered: "it is of the date of its instrument",
    r.BodySessionRecorded: "it dates a reporting duty, which lies in the future",
    r.DeliverableRecorded: "its year is never unknown",
    m.MeetingProposed: "its time is never unknown",
    m.MeetingRescheduled: "its time is never unknown",
    m.AgendaItemAdded: "it is of the date of its meeting",
    m.AgendaOrdered: "it is of the date of its meeting",
    m.OutcomeRecorded: "it is of the date of its meeting",
    m.MeetingConfirmed: "not on a trace",
    m.MeetingConvened: "it is a stage of its meeting",
    m.MeetingCancelled: "it is a stage of its meeting",
    m.MeetingHeld: "it is a stage of its meeting",
    m.AttendanceRecorded: "it is of the date of its meeting",
}
HIDDEN = "2031-05"


def a_history(on: str | None = None) -> History:
    """Return a history of every fact that a trace shows, each of this date."""
    history, dated = History(), {"on": on} if on else {}
    adopted_on = {"adopted_on": on} if on else {}
    duty = r.ReportingDuty(body="SYN", session=9)
    for number in (1, 2, 3):
        history.add(
            f"instrument/i{number}",
            r.InstrumentRegistered(instrument=f"i{number}", cite="Synthetic", body="SYN", title="T", **adopted_on),
            r.ProvisionRegistered(provision=f"i{number}/a", summary="Synthetic ask", reporting_duty=duty),
            r.InstrumentSuperseded(by="i9", **dated),
        )
    history.add(
        "instrument/i1",
        r.InstrumentCarried(by="i2", **dated),
        r.InstrumentEndorsed(by="i2", **dated),
        r.InstrumentReaffirmed(by="i2", **dated),
        r.ReportingDutyDischarged(provision="i1/a", document_symbol="SYN/1", **dated),
        r.DoubleRegistrationNoted(other="i2"),
    )
    history.add(
        "priority/p1",
        r.PrioritySelected(priority="p1", title="P", outcome="O", timeline_to="2031", **dated),
        r.PriorityClosed(reason="achieved", **dated),
    )
    history.add("session/3", r.CommitteeSessionRecorded(session=3, **({"starts_on": on} if on else {})))
    disseminated = {"disseminated_on": on} if on else {}
    starts = {"starts_at": on} if on else {}
    history.add(
        "meeting/m1",
        m.MeetingRecorded(meeting="m1", title="Synthetic meeting", kind="forum", **starts),
        m.DocumentDisseminated(document="d", title="D", renditions=(RENDITION,), **disseminated),
    )
    history.add(
        "meeting/m1",
        m.AgendaItemAdded(item="a", title="Synthetic item"),
        m.OutcomeRecorded(outcome="o", kind="decision", text="Synthetic decision"),
        m.OutcomeRecorded(outcome="o2", kind="action_point", text="Synthetic action"),
        m.ActionPointClosed(outcome="o2", end="done", **dated),
    )
    ref = ProvisionRef(instrument="i1", provision="i1/a")
    initiative = r.InitiativeRegistered(initiative="n1", title="N", supporting_member="FJI", provisions=(ref,))
    history.add("initiative/n1", initiative)
    return history.add(
        OWN,
        r.RecommendationDrafted(reference=REFERENCE, title="Synthetic title", priority="p1", **dated),
        r.MandateCited(instrument="i1", provision="i1/a", **dated),
        r.MandateCited(instrument="i2", provision="i2/a", **dated),
        r.MandateCited(instrument="i3", provision="i3/a", **dated),
        r.MandateUncited(instrument="i2", provision="i2/a", reason="Synthetic", **dated),
        r.CitationReconfirmed(instrument="i1", provision="i1/a", superseded_by="i9", **dated),
        r.OriginRecorded(meeting="m1", seen=SEEN, **dated),
        r.RecommendationDiscussed(meeting="m1", seen=SEEN, **dated),
        r.RecommendationAdopted(text_version=1, **adopted_on, **SILENT),
        r.RecommendationTransmitted(session=3, text_version=1, **dated),
        r.CommitteeDispositionRecorded(session=3, outcome="noted", **dated),
        r.RecommendationRevised(title="Synthetic title, revised", themes=("Synthetic theme",), **dated),
        r.FollowUpReported(progress="implemented", evidence={"meeting": "m1"}, **dated),
        r.FollowUpReported(progress="implemented", evidence={"session": 3}, **dated),
        r.RecommendationCarried(instrument="i1", **dated),
        r.RecommendationSuperseded(supersedes="SYN/2030/R2", **dated),
        r.RecommendationMerged(absorbs="SYN/2030/R3", **dated),
        r.RecommendationSplit(into=("SYN/2030/R4", "SYN/2030/R5"), **dated),
        r.RecommendationWithdrawn(reason="Synthetic", **dated),
    )


@cache
def undated(as_of: date | None = EARLY) -> dict[str, Any]:
    """Return the trace of undated facts, as of a day."""
    return composed(a_history().all(), as_of)[REFERENCE]


def at(trace: Any, place: str) -> Any:
    """Return a value by its place: names and numbers with dots between."""
    for part in place.split("."):
        trace = trace[int(part)] if isinstance(trace, list) else trace[part]
    return trace


@pytest.mark.parametrize(
    "place", [pytest.param(place, id=f"{event.__name__} {place}") for event, each in PLACES.items() for place in each]
)
def test_each_undated_fact_of_an_earlier_day_says_that_its_date_is_unknown(place: str):
    assert at(undated(), place) == "date unknown"


def test_every_event_that_a_trace_may_show_is_named_here():
    shown = {
        event
        for event in EVENTS.values()
        if event.service in ("recommendations", "meetings") and not issubclass(event, Correction | Voiding)
    }
    assert {event.__name__ for event in shown} == {event.__name__ for event in (*PLACES, *WITHOUT)}


def dicts_in(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a trace."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from dicts_in(inner)


def test_without_a_day_no_fact_is_marked():
    marks = [name for item in dicts_in(undated(None)) for name in item if name.endswith("dated")]
    assert marks == []


def test_of_facts_after_the_day_none_is_shown():
    assert composed(a_history(HIDDEN).all(), EARLY) == {}
    history = a_history(HIDDEN)
    first = r.RecommendationDrafted(reference="SYN/2030/R9", title="Synthetic title", on="1989")
    history.add("recommendation/SYN/2030/R9", first)
    for record in list(history.records[OWN])[1:]:
        history.add("recommendation/SYN/2030/R9", data_of(record))
    trace = composed(history.all(), EARLY)["SYN/2030/R9"]
    assert HIDDEN not in str({name: part for name, part in trace.items() if name != "provenance"})


def data_of(record: Any) -> Event:
    """Return the data of a record's event."""
    return decode(record.value).data


def test_as_of_a_day_it_serves_the_priority_of_that_day():
    history = a_history("1989")
    history.add("priority/p2", r.PrioritySelected(priority="p2", title="Q", outcome="O", timeline_to="2031"))
    history.add(OWN, r.RecommendationRevised(priority="p2", on=HIDDEN))
    assert composed(history.all())[REFERENCE]["priority"]["title"] == "Q"
    assert composed(history.all(), EARLY)[REFERENCE]["priority"]["title"] == "P"


def test_a_void_priority_that_it_no_longer_serves_is_no_gap():
    history = a_history()
    history.add("priority/p2", r.PrioritySelected(priority="p2", title="Q", outcome="O", timeline_to="2031"))
    history.add(OWN, r.RecommendationRevised(priority="p2"))
    history.add("priority/p1", r.RecordVoided(voids=1, reason="Synthetic mistake"))
    assert not any("void" in gap for gap in composed(history.all())[REFERENCE]["gaps"])


def test_every_mark_is_shown_in_the_text_of_a_trace():
    marks = [name for item in dicts_in(undated()) for name in item if name.endswith("dated")]
    in_gaps_only = [each for item in dicts_in(undated()) for each in item.get("also_registered_as", ())]
    text = " ".join(plain_text(undated(), TODAY).split())
    assert text.count("(date unknown)") == len(marks) - len(in_gaps_only)


@pytest.mark.parametrize(("as_of", "mutual"), [("2031-12-31", None), ("2032-12-31", True)], ids=["before", "after"])
def test_a_supersession_back_counts_from_its_day(as_of: str, mutual: bool | None):
    history = a_history("1989")
    history.add(
        "instrument/i9",
        r.InstrumentRegistered(instrument="i9", cite="Synthetic later", body="SYN", title="T"),
        r.InstrumentSuperseded(by="i3", on="2032"),
    )
    trace = composed(history.all(), date.fromisoformat(as_of))[REFERENCE]
    assert trace["mandates"][2]["why"][0].get("mutual") is mutual

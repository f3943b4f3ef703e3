"""Matters that wait on recommendations, reporting duties and priorities; the facet names what a state alone tells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from services.recommendations.domain.instrument import INSTRUMENT
from services.recommendations.domain.recommendation import RECOMMENDATION
from services.recommendations.domain.registers import PRIORITY
from services.recommendations.domain.waiting import KINDS, dated, of_duties, of_priority, of_recommendation
from shared.domain.waiting import Waiting, as_facet
from shared.events import recommendations as r
from shared.events.event import Event
from tests.given import given
from tests.recommendations.synthetic import (
    OWN,
    a_recommendation,
    adopted,
    cited,
    old_registered,
    third_session,
    transmitted,
)

SESSIONS: dict[str, Any] = {
    "session/3": third_session,
    "body_session/commission-77": r.BodySessionRecorded(
        key="commission-77", body="Commission", session=77, starts_on="2031-04-26"
    ),
}
ADOPTED_ANEW = r.RecommendationAdopted(status="unknown", note="Synthetic", text_version=6)


def disposed(outcome: str, **more: Any) -> r.CommitteeDispositionRecorded:
    return r.CommitteeDispositionRecorded.model_validate({"session": 3, "outcome": outcome, "on": "2030-11-06", **more})


def report(progress: str, **more: Any) -> r.FollowUpReported:
    return r.FollowUpReported.model_validate({"progress": progress, **more})


def with_days(matters: Iterable[Waiting]) -> list[Waiting]:
    """Return matters with the days of their sessions, as they are read."""
    return [dated(each, SESSIONS.get(each.session or "")) for each in matters]


def matters(*events: Event) -> list[tuple[Any, ...]]:
    """Return kind, since and due of each matter of the synthetic recommendation."""
    state = a_recommendation(*events).state
    stored = list(of_recommendation(state))
    assert RECOMMENDATION.facets(state)["awaits"] == as_facet(stored)
    shown = with_days(stored)
    assert {each.kind for each in shown} <= set(KINDS)
    assert {(each.stream, each.title, each.roles) for each in shown} <= {(OWN, "Synthetic title", ("secretariat",))}
    return [(each.kind, each.since, each.due) for each in shown]


TO_SESSION = (cited, adopted, transmitted)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((), []),
        ((adopted,), [("transmission", None, None)]),
        (TO_SESSION, [("disposition", "2030-11-04", "2030-11-06")]),
        ((*TO_SESSION, disposed("endorsed")), []),
        ((*TO_SESSION, disposed("deferred")), [("disposition", "2030-11-06", None)]),
        ((*TO_SESSION, disposed("returned")), [("sent_back", "2030-11-06", None)]),
        ((*TO_SESSION, disposed("unknown")), [("sent_back", "2030-11-06", None)]),
        ((r.RecommendationWithdrawn(reason="Synthetic"),), []),
        ((adopted, r.RecommendationWithdrawn(reason="Synthetic")), []),
        ((r.RecordVoided(voids=1, reason="Synthetic"),), []),
    ],
    ids=[
        "draft",
        "adopted",
        "transmitted",
        "endorsed",
        "deferred",
        "returned",
        "unknown",
        "withdrawn",
        "closed",
        "void",
    ],
)
def test_a_recommendation_waits_for_its_next_step(events: tuple[Event, ...], expected: list[tuple[Any, ...]]) -> None:
    if any(isinstance(event, r.RecordVoided) for event in events):
        assert list(of_recommendation(a_recommendation(*events).state)) == []
    else:
        assert matters(*events) == expected


def test_what_was_sent_back_and_adopted_anew_waits_to_be_transmitted() -> None:
    revised = r.RecommendationRevised(text="Synthetic text, revised")
    anew = (*TO_SESSION, disposed("returned"), revised, ADOPTED_ANEW)
    assert matters(*anew) == [("transmission", None, None)]


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        ((report("not_started", due="2031-05", on="2031"),), [("follow_up", "2031", "2031-05")]),
        ((report("not_started", action="Plan", due="2031-05"), report("implemented", action="Plan")), []),
        ((report("under_implementation"),), [("follow_up", None, None)]),
        ((report("not_pursued", due="2031-05"),), []),
        (
            (report("not_started", action="Plan", due="2031"), report("unknown", action="Other", due="2032")),
            [("follow_up", None, "2031"), ("follow_up", None, "2032")],
        ),
    ],
)
def test_a_follow_up_waits_by_the_latest_report_of_its_action(
    reports: tuple[Event, ...], expected: list[tuple[Any, ...]]
) -> None:
    assert matters(*TO_SESSION, disposed("endorsed"), *reports) == expected


def test_a_matter_says_why_in_one_sentence() -> None:
    reported = report("under_implementation", action="Plan", due="2031-05")
    [disposition, follow_up] = of_recommendation(a_recommendation(*TO_SESSION, reported).state)
    assert disposition.why == "It lies before session 3, and no disposition is on record."
    assert (follow_up.about, follow_up.why) == (
        "Plan", "A follow-up (Plan) is under implementation."
    )  # fmt: skip


DUTIES = {
    "of the Committee": (r.ReportingDuty(body="CED", session=3), "2030-11-04"),
    "of another body": (r.ReportingDuty(body="Commission", session=77), "2031-04-26"),
    "of a session that is not on record": (r.ReportingDuty(body="Commission", session=78, due="2032"), "2032"),
    "without a date": (r.ReportingDuty(body="Commission"), None),
}


@pytest.mark.parametrize(("duty", "due"), DUTIES.values(), ids=DUTIES)
def test_a_reporting_duty_waits_until_it_is_discharged(duty: r.ReportingDuty, due: str | None) -> None:
    asking = r.ProvisionRegistered(provision="old/report", summary="Synthetic ask", reporting_duty=duty)
    other = r.ProvisionRegistered(provision="old/other", summary="Synthetic ask")
    events: tuple[Event, ...] = (old_registered, asking, other)
    state = given(INSTRUMENT, "instrument/old", *events).state
    [stored] = of_duties(old_registered, [asking])
    assert INSTRUMENT.facets(state)["awaits"] == as_facet([stored])
    [matter] = with_days([stored])
    assert (matter.kind, matter.about, matter.due, matter.title) == (
        "reporting_duty", "old/report", due, "Synthetic resolution 1"
    )  # fmt: skip
    given_report = r.ReportingDutyDischarged(provision="old/report", document_symbol="SYN/1")
    discharged = given(INSTRUMENT, "instrument/old", *events, given_report).state
    assert INSTRUMENT.facets(discharged)["awaits"] == []


def test_a_priority_waits_until_it_is_closed() -> None:
    selected = r.PrioritySelected(priority="p1", title="Synthetic P", outcome="O", timeline_to="2031", on="2029")
    state = given(PRIORITY, "priority/p1", selected).state
    [matter] = of_priority(selected)
    assert (matter.kind, matter.stream, matter.title, matter.since, matter.due) == (
        "priority", "priority/p1", "Synthetic P", "2029", "2031"
    )  # fmt: skip
    assert PRIORITY.facets(state)["awaits"] == as_facet([matter])
    closed = given(PRIORITY, "priority/p1", selected, r.PriorityClosed(reason="achieved")).state
    assert PRIORITY.facets(closed)["awaits"] == []


@pytest.mark.parametrize(
    ("outcome", "says"),
    [("returned", "Session 3 sent it back (returned):"), ("unknown", "Its outcome at session 3 is not on record:")],
)
def test_an_unknown_outcome_is_not_called_a_return(outcome: str, says: str) -> None:
    (matter,) = of_recommendation(a_recommendation(*TO_SESSION, disposed(outcome)).state)
    assert matter.why.startswith(says)

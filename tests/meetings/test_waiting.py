"""Matters that wait on a meeting, for whom and until when; and how an action point is closed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.meetings.commands import CloseActionPoint
from services.meetings.domain.meeting import MEETING
from services.meetings.domain.rules import ActionPointNotOnRecord
from services.meetings.domain.waiting import KINDS, waiting
from shared.domain.rejections import OutOfOrder
from shared.domain.waiting import Waiting, as_facet, span_of
from shared.events.event import Event
from shared.events.meetings import ActionPointClosed, OutcomeRecorded, RecordVoided
from shared.events.words import ActionPointEnd, words
from tests.meetings.synthetic import (
    BY_CHAIR,
    CONVENED,
    HELD,
    HISTORIES,
    OUTCOME,
    PROPOSED,
    RECORDED,
    RESCHEDULED,
    a_meeting,
)

ACTION: dict[str, Any] = {
    "outcome": "a1", "kind": "action_point", "text": "Synthetic action", "responsible": "SYN office", "due": "2026-05"
}  # fmt: skip
TO_DO = OutcomeRecorded(**ACTION)
DONE = ActionPointClosed(outcome="a1", end="done", on="2026-04-30")


def matters(*events: Event) -> list[tuple[Any, ...]]:
    """Return kind, what it is about, the roles, and the due date of each matter; the facet names the kinds."""
    state = a_meeting(*events).state
    shown = list(waiting(state))
    assert MEETING.facets(state).get("awaits", []) == as_facet(shown)
    assert {each.kind for each in shown} <= set(KINDS)
    return [(each.kind, each.about, each.roles, each.due) for each in shown]


def test_a_proposed_meeting_waits_for_those_who_have_not_confirmed_it() -> None:
    chair = ("confirmation", "chair", ("chair",), "2026-03-02")
    secretariat = ("confirmation", "secretariat", ("secretariat",), "2026-03-02")
    assert matters(PROPOSED) == [chair, secretariat]
    assert matters(PROPOSED, BY_CHAIR) == [secretariat]
    assert matters(*CONVENED, RESCHEDULED) == [("confirmation", "chair", ("chair",), "2026-04-01")]


def test_a_convened_meeting_waits_to_be_held_until_its_last_day() -> None:
    assert matters(*CONVENED) == [("holding", None, ("secretariat",), "2026-03-02")]
    assert matters(*HELD) == []


def test_a_matter_says_since_when_it_waits_and_names_the_meeting() -> None:
    [_, matter] = waiting(a_meeting(PROPOSED).state)
    assert (matter.stream, matter.title, matter.since) == (
        "meeting/m1",
        "Synthetic meeting",
        "2032-01-05T09:00:01.000Z",
    )
    [matter] = waiting(a_meeting(*CONVENED).state)
    assert matter.since == "2032-01-05T09:00:04.000Z"
    assert matter.why == "It is convened until 2 March 2026: record after it that it was held, move it, or cancel it."


@pytest.mark.parametrize("history", ["not on record", "cancelled", "recorded"])
def test_nothing_else_waits(history: str) -> None:
    assert matters(*HISTORIES[history]) == []
    if HISTORIES[history]:
        assert matters(*HISTORIES[history], RecordVoided(voids=1, reason="Synthetic slip")) == []


@pytest.mark.parametrize("history", [HELD, (RECORDED,)], ids=["held", "recorded"])
def test_an_action_point_waits_until_it_is_closed(history: tuple[Event, ...]) -> None:
    open_point = ("action_point", "a1", ("secretariat",), "2026-05")
    assert matters(*history, OUTCOME, TO_DO) == [open_point]
    assert matters(*history, OUTCOME, TO_DO, DONE) == []
    void = RecordVoided(voids=len(history) + 2, reason="Synthetic slip")
    assert matters(*history, TO_DO, DONE, void) == [open_point]


def test_an_action_point_says_whose_it_is() -> None:
    [matter] = waiting(a_meeting(*HELD, TO_DO).state)
    assert matter.why == "The action point a1 of SYN office is open."
    [matter] = waiting(a_meeting(*HELD, OutcomeRecorded(outcome="a2", kind="action_point", text="Synthetic")).state)
    assert (matter.why, matter.due) == ("The action point a2 is open.", None)


def test_an_action_point_on_record_is_closed_once() -> None:
    close = CloseActionPoint(outcome="a1", end="done", on="2026-04-30")
    a_meeting(*HELD, TO_DO).when(close).then(DONE)
    a_meeting(RECORDED, TO_DO).when(close).then(DONE)
    a_meeting(*HELD, TO_DO, DONE).when(close).then_refused(OutOfOrder)
    for history in (HELD, (*HELD, OutcomeRecorded(**ACTION | {"kind": "decision"}))):
        refused = a_meeting(*history).when(close).then_refused(ActionPointNotOnRecord)
        assert refused.facts() == {"stream": "meeting/m1", "outcome": "a1"}


@pytest.mark.parametrize("history", ["not on record", "proposed", "convened", "cancelled"])
def test_an_action_point_is_closed_only_of_a_meeting_that_took_place(history: str) -> None:
    close = CloseActionPoint(outcome="a1", end="dropped")
    a_meeting(*HISTORIES[history]).when(close).then_refused(OutOfOrder)


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        ("2026-05-31", "overdue"),
        ("2026-05", "overdue"),
        ("2026-06-01", "soon"),
        ("2026-06-15", "soon"),
        ("2026-06-16", "later"),
        ("2026-06", "later"),
        (None, "later"),
    ],
)
def test_a_matter_is_overdue_after_the_last_day_that_its_date_may_mean(due: str | None, expected: str) -> None:
    matter = Waiting(kind="k", stream="meeting/m1", title="Synthetic", due=due, why="Synthetic.", roles=("chair",))
    spans = {each: span_of(each, date(2026, 6, 1)) for each in ("overdue", "soon", "later")}
    assert [each for each, (first, end) in spans.items() if first <= matter.key < end] == [expected]
    first, end = span_of(None, date(2026, 6, 1))
    assert first <= matter.key < end


def test_every_end_of_an_action_point_closes_it() -> None:
    for end in words(ActionPointEnd):
        assert matters(*HELD, TO_DO, ActionPointClosed(outcome="a1", end=end)) == []


def test_a_long_title_is_cut_for_the_list() -> None:
    [matter] = waiting(a_meeting(PROPOSED.model_copy(update={"title": "x" * 500}), BY_CHAIR).state)
    assert matter.title == "x" * 199 + "…"

"""The gaps on a meeting's page: attendance outside a membership, as known now, whatever was known when recorded."""

from __future__ import annotations

from typing import Any

import pytest

from services.meetings.domain.foreign import MEMBERSHIP
from services.meetings.domain.terms import gaps_of, memberships_of
from shared.events.event import Event
from shared.events.meetings import RecordVoided as MeetingVoided
from shared.events.nominations import MembershipEnded, RecordVoided
from tests.given import known
from tests.meetings.synthetic import ATTENDED, BEGAN, HELD, a_meeting

ATTENDANCE = "An expert of FJI (e1) attended Synthetic meeting"
CORRECT_IT = " Version 6 was recorded before that was known: correct it, and traces will say so."


def ended(on: str | None = None) -> MembershipEnded:
    return MembershipEnded(reason="term_ended", ended_on=on)


def gaps(*events: Event, **recorded: Any) -> list[str]:
    """Return the gaps of a meeting of 2 March 2026 that an expert attended whose membership has these events."""
    meeting = a_meeting(*HELD, ATTENDED.model_copy(update=recorded)).state
    assert memberships_of(meeting) == {"membership/e1"}
    return gaps_of(meeting, {s: each.state for s, each in known(MEMBERSHIP, "membership/e1", *events).items()})


@pytest.mark.parametrize(
    ("events", "gap"),
    [
        ((BEGAN,), None),
        ((BEGAN, ended("2026-03-02")), None),
        ((BEGAN, ended("2026-02")), f"{ATTENDANCE} after the membership had ended on February 2026.{CORRECT_IT}"),
        ((BEGAN, ended()), f"{ATTENDANCE}; the membership has ended, before or after is unknown.{CORRECT_IT}"),
        (
            (BEGAN.model_copy(update={"began_on": "2026-04"}),),
            f"{ATTENDANCE} before the membership began on April 2026.{CORRECT_IT}",
        ),
        ((BEGAN, RecordVoided(voids=1, reason="Synthetic")), f"{ATTENDANCE}; the membership is void."),
        ((BEGAN, ended("2026-02"), RecordVoided(voids=2, reason="Synthetic")), None),
    ],
    ids=["active", "ended that day", "ended before", "ended", "began later", "void", "its end is void"],
)
def test_what_is_known_now_of_a_membership_is_a_gap_of_the_meetings_that_it_attended(
    events: tuple[Event, ...], gap: str | None
):
    assert gaps(*events) == ([gap] if gap else [])


def test_what_the_attendance_says_itself_needs_no_correction():
    limits = {"membership_ended": True, "membership_ended_on": "2026-02"}
    assert gaps(BEGAN, ended("2026-02"), **limits) == [f"{ATTENDANCE} after the membership had ended on February 2026."]


def test_a_meeting_that_is_void_or_not_on_record_has_no_gap():
    for meeting in (a_meeting(), a_meeting(*HELD, MeetingVoided(voids=1, reason="Synthetic"))):
        assert (memberships_of(meeting.state), gaps_of(meeting.state, {})) == (set(), [])

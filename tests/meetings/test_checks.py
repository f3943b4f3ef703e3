"""Time zones that are none or do not fit, and what takes place before its meeting."""

from __future__ import annotations

import zoneinfo
from typing import Any

import pytest

from services.meetings.commands import (
    HoldMeeting,
    ProposeMeeting,
    RecordAttendance,
    RecordMeeting,
    RescheduleMeeting,
)
from services.meetings.domain.meeting import MEETING
from services.meetings.domain.rules import BeginsAfterItsEnd, MeetingHasNotBegun, TimeZoneDoesNotFit, UnknownTimeZone
from shared.domain.aggregate import Command
from shared.domain.single_facts import EndsBeforeItStarts, FactLiesInTheFuture
from shared.events.event import Event
from shared.events.meetings import MeetingConfirmed, MeetingConvened, MeetingHeld, MeetingProposed, MeetingRescheduled
from tests.given import NOW, recorded
from tests.meetings.synthetic import BY_CHAIR, BY_SECRETARIAT, CONVENED, FORM, MEMBER, OLD, PROPOSED, a_meeting

AHEAD: dict[str, Any] = {"starts_at": "2041-03-02T10:00:00+07:00", "ends_at": "2041-03-02T13:00:00+07:00"}
CONVENED_AHEAD = (MeetingProposed(**FORM | AHEAD), BY_CHAIR, BY_SECRETARIAT, MeetingConvened())
IN_UTC: dict[str, Any] = {"starts_at": "2026-03-02T03:00:00Z", "ends_at": "2026-03-02T06:00:00+00:00"}


@pytest.mark.parametrize("name", ["Bangkok", "asia/bangkok", "Asia/Bankok", "+07:00", "../Asia/Bangkok", "posixrules"])
def test_a_time_zone_has_an_iana_name(name: str) -> None:
    refused = a_meeting().when(ProposeMeeting(**FORM | {"time_zone": name})).then_refused(UnknownTimeZone)
    assert name in refused.sentence()


def test_a_near_name_is_suggested() -> None:
    refused = a_meeting().when(ProposeMeeting(**FORM | {"time_zone": "asia/bankok"})).then_refused(UnknownTimeZone)
    assert "did you mean Asia/Bangkok?" in refused.sentence()


@pytest.mark.parametrize(
    ("zone", "times"),
    [
        ("Asia/Tokyo", {}),
        ("Asia/Bangkok", IN_UTC),
        ("Europe/Paris", {"starts_at": "2026-07-01T10:00:00+01:00", "ends_at": "2026-07-01T11:00:00+01:00"}),
        ("Asia/Kathmandu", {"starts_at": "2026-07-01T10:00:00+05:30", "ends_at": "2026-07-02"}),
    ],
)
def test_the_offset_of_a_time_is_that_of_its_zone(zone: str, times: dict[str, str]) -> None:
    refused = a_meeting().when(ProposeMeeting(**FORM | times | {"time_zone": zone})).then_refused(TimeZoneDoesNotFit)
    assert refused.facts()["field"] == "starts_at"


@pytest.mark.parametrize(
    ("zone", "times"),
    [
        ("UTC", IN_UTC),
        ("Europe/Paris", {"starts_at": "2026-07-01T10:00:00+02:00", "ends_at": "2026-12-01T11:00:00+01:00"}),
        ("Asia/Tokyo", {"starts_at": "2026-07", "ends_at": "2026-07"}),
        ("Asia/Bangkok", {"starts_at": "0001-01-01T00:00:00+14:00", "ends_at": "2026-07"}),
    ],
)
def test_a_zone_that_fits_is_taken(zone: str, times: dict[str, str]) -> None:
    command = ProposeMeeting(**FORM | times | {"time_zone": zone})
    a_meeting().when(command).then(MeetingProposed(**command.model_dump(exclude_unset=True)))


def test_a_remedy_says_how_the_moment_is_written_in_the_zone() -> None:
    refused = a_meeting().when(ProposeMeeting(**FORM | IN_UTC)).then_refused(TimeZoneDoesNotFit)
    assert "where that moment is 2026-03-02T10:00:00+07:00" in refused.sentence()


@pytest.mark.parametrize(
    ("history", "command"),
    [
        ((PROPOSED,), RescheduleMeeting(**IN_UTC)),
        (CONVENED, HoldMeeting(held_from="2026-03-02T03:00:00Z")),
    ],
    ids=["reschedule", "hold"],
)
def test_a_time_has_the_offset_of_the_meetings_own_zone(history: tuple[Event, ...], command: Command) -> None:
    a_meeting(*history).when(command).then_refused(TimeZoneDoesNotFit)


def test_zones_are_those_of_the_code_and_not_of_the_machine() -> None:
    before = zoneinfo.TZPATH
    try:
        zoneinfo.reset_tzpath(to=[])
        zoneinfo.ZoneInfo.clear_cache()
        command = ProposeMeeting(**FORM | {"time_zone": "Asia/Tokyo"})
        a_meeting().when(command).then_refused(TimeZoneDoesNotFit)
    finally:
        zoneinfo.reset_tzpath(to=before)


@pytest.mark.parametrize(
    ("history", "command"),
    [
        ((), ProposeMeeting(**FORM | {"ends_at": "2026-03-01"})),
        ((), RecordMeeting(**OLD | {"ends_at": "2019-04"})),
        ((PROPOSED,), RescheduleMeeting(starts_at="2026-04-02", ends_at="2026-04-01")),
        (CONVENED, HoldMeeting(held_from="2026-03-02", held_to="2026-03-01")),
        (CONVENED, HoldMeeting(held_to="2026-03-01")),
    ],
    ids=["propose", "record", "reschedule", "hold", "hold until"],
)
def test_no_meeting_ends_before_it_starts(history: tuple[Event, ...], command: Command) -> None:
    a_meeting(*history).when(command).then_refused(EndsBeforeItStarts)


def test_no_meeting_is_held_from_after_its_end_unless_it_was_held_later() -> None:
    refused = a_meeting(*CONVENED).when(HoldMeeting(held_from="2026-03-03")).then_refused(BeginsAfterItsEnd)
    assert "`held_to`" in refused.sentence()
    later = HoldMeeting(held_from="2026-03-03", held_to="2026-03-04")
    a_meeting(*CONVENED).when(later).then(MeetingHeld(held_from="2026-03-03", held_to="2026-03-04"))
    a_meeting(*CONVENED).when(HoldMeeting(held_from="2026-03")).then(MeetingHeld(held_from="2026-03"))
    moved = MeetingRescheduled(starts_at="2026-03-01", ends_at="2026-03-03")
    a_meeting(*CONVENED, moved).when(HoldMeeting(held_from="2026-03-03")).then(MeetingHeld(held_from="2026-03-03"))


def test_a_meeting_to_come_is_proposed_and_not_recorded_as_held() -> None:
    command = ProposeMeeting(**FORM | AHEAD)
    a_meeting().when(command).then(MeetingProposed(**FORM | AHEAD))
    a_meeting().when(RecordMeeting(**OLD | {"starts_at": "2041"})).then_refused(FactLiesInTheFuture)


@pytest.mark.parametrize("command", [HoldMeeting(), RecordAttendance(membership="e1", presence="remote")], ids=str)
def test_nothing_takes_place_at_a_meeting_that_has_not_begun(command: Command) -> None:
    refused = a_meeting(*CONVENED_AHEAD).knowing(MEMBER).when(command).then_refused(MeetingHasNotBegun)
    assert refused.http_status == 409


@pytest.mark.parametrize(
    "event",
    [PROPOSED.model_copy(update={"time_zone": "Bangkok"}), PROPOSED.model_copy(update={"ends_at": "2026-03-01"})],
    ids=["a zone that is none", "an end before its start"],
)
def test_what_would_be_refused_today_still_folds(event: Event) -> None:
    state = a_meeting(event, MeetingConfirmed(by="chair")).state
    assert (state.stage, state.particulars.ends_at) == ("proposed", event.model_dump()["ends_at"])


def test_a_correction_is_checked_upon_the_facts_before_the_corrected_one() -> None:
    history = recorded("meeting/m1", PROPOSED, MeetingRescheduled(starts_at="2026-04", ends_at="2026-04"))
    before = MEETING.fold_before(history, 2)
    moved = MeetingRescheduled(**IN_UTC)
    refused = MEETING.refusal_of(before, moved, stream="meeting/m1", facts={}, now=NOW)
    assert isinstance(refused, TimeZoneDoesNotFit)

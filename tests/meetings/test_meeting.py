"""A meeting from proposal to outcome: each command in each stage."""

from __future__ import annotations

import pytest

from services.meetings.commands import (
    AddAgendaItem,
    CancelMeeting,
    ConfirmMeeting,
    DisseminateDocument,
    HoldMeeting,
    ProposeMeeting,
    RecordAttendance,
    RecordMeeting,
    RecordOutcome,
    RescheduleMeeting,
)
from services.meetings.domain.meeting import MEETING
from services.meetings.domain.rules import TimeZoneDoesNotFit, TwoConfirmationsConveneAMeeting
from shared.domain.aggregate import Command
from shared.domain.rejections import OutOfOrder
from shared.events.catalogue import decode
from shared.events.event import Event
from shared.events.meetings import AttendanceRecorded, MeetingConvened, MeetingHeld, MeetingRecorded, MeetingRescheduled
from tests.contracts.corpus import golden
from tests.meetings.synthetic import (
    AIR,
    ATTENDED,
    BY_CHAIR,
    BY_SECRETARIAT,
    CANCELLED,
    CONVENED,
    DECISION,
    DISSEMINATED,
    FORM,
    HELD,
    HISTORIES,
    ITEM,
    ITEM_ADDED,
    LATER,
    MEMBER,
    OLD,
    OUTCOME,
    PAPER,
    PROPOSED,
    RECORDED,
    REF,
    RESCHEDULED,
    RESCHEDULED_AS_V1,
    a_meeting,
    corrected,
)

OPEN = {"proposed", "convened", "held", "recorded"}
FITS: dict[str, tuple[Command, Event, set[str]]] = {
    "propose": (ProposeMeeting(**FORM), PROPOSED, {"not on record"}),
    "record": (RecordMeeting(**OLD), RECORDED, {"not on record"}),
    "confirm": (ConfirmMeeting(), BY_SECRETARIAT, {"proposed"}),
    "reschedule": (RescheduleMeeting(**LATER), RESCHEDULED, {"proposed", "convened"}),
    "cancel": (CancelMeeting(reason="Synthetic storm"), CANCELLED, {"proposed", "convened"}),
    "hold": (HoldMeeting(held_from="2026-03-02"), MeetingHeld(held_from="2026-03-02"), {"convened"}),
    "add an item": (AddAgendaItem(**ITEM), ITEM_ADDED, OPEN),
    "disseminate": (DisseminateDocument(**PAPER), DISSEMINATED, OPEN),
    "attend": (RecordAttendance(membership="e1", presence="in_room"), ATTENDED, OPEN - {"proposed"}),
    "decide": (RecordOutcome(**DECISION), OUTCOME, {"held", "recorded"}),
}
BY_ANOTHER_RULE = {("hold", "proposed"), ("attend", "proposed")}


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("command", FITS)
def test_each_command_is_accepted_in_its_own_stages_only(command: str, history: str) -> None:
    request, event, fits = FITS[command]
    outcome = a_meeting(*HISTORIES[history]).knowing(MEMBER).when(request)
    if history in fits:
        outcome.then(event)
    elif (command, history) in BY_ANOTHER_RULE:
        outcome.then_refused(TwoConfirmationsConveneAMeeting)
    else:
        assert outcome.then_refused(OutOfOrder).facts()["state"] == history


@pytest.mark.parametrize(("first", "role"), [(BY_SECRETARIAT, "chair"), (BY_CHAIR, "secretariat")], ids=str)
def test_the_second_of_two_confirmations_convenes_the_meeting(first: Event, role: str) -> None:
    second = BY_CHAIR if role == "chair" else BY_SECRETARIAT
    outcome = a_meeting(PROPOSED, first).when(ConfirmMeeting(), role=role)
    outcome.then(second, MeetingConvened()).then_stage("convened")


@pytest.mark.parametrize(("role", "event"), [("chair", BY_CHAIR), ("secretariat", BY_SECRETARIAT)])
def test_one_confirmation_leaves_the_meeting_proposed(role: str, event: Event) -> None:
    a_meeting(PROPOSED).when(ConfirmMeeting(), role=role).then(event).then_stage("proposed")


@pytest.mark.parametrize(("first", "role"), [(BY_CHAIR, "chair"), (BY_SECRETARIAT, "secretariat")], ids=str)
def test_the_same_side_does_not_confirm_twice(first: Event, role: str) -> None:
    a_meeting(PROPOSED, first).when(ConfirmMeeting(), role=role).then_refused(OutOfOrder)


def test_the_confirming_side_is_the_role_and_never_the_body() -> None:
    with pytest.raises(ValueError, match="by"):
        ConfirmMeeting.model_validate({"by": "chair"})


def test_a_meeting_with_one_confirmation_is_not_held() -> None:
    refused = a_meeting(PROPOSED, BY_CHAIR).when(HoldMeeting()).then_refused(TwoConfirmationsConveneAMeeting)
    assert (refused.kind, refused.paragraph) == ("house rule", None)
    assert refused.facts()["waits_for"] == "secretariat"


@pytest.mark.parametrize("history", [(PROPOSED, BY_CHAIR), CONVENED], ids=["half confirmed", "convened"])
def test_a_moved_meeting_needs_both_confirmations_again_and_the_movers_counts(history: tuple[Event, ...]) -> None:
    moved = a_meeting(*history).when(RescheduleMeeting(**LATER)).then(RESCHEDULED).then_stage("proposed")
    again = a_meeting(*moved.events, RESCHEDULED)
    assert again.state.confirmed_by == ("secretariat",)
    again.when(HoldMeeting()).then_refused(TwoConfirmationsConveneAMeeting)
    again.when(ConfirmMeeting()).then_refused(OutOfOrder)
    again.when(ConfirmMeeting(), role="chair").then(BY_CHAIR, MeetingConvened()).then_stage("convened")


def test_the_mover_is_the_role_and_never_the_body() -> None:
    with pytest.raises(ValueError, match="by"):
        RescheduleMeeting.model_validate(LATER | {"by": "chair"})


def test_what_was_entered_stays_when_a_convened_meeting_is_moved() -> None:
    state = a_meeting(*CONVENED, ITEM_ADDED, RESCHEDULED).state
    assert [entry.fact for entry in state.proceedings.agenda] == [ITEM_ADDED]
    assert (state.particulars.starts_at, state.particulars.versions) == ("2026-04-01", (1, 6))


def test_a_move_as_version_1_has_it_leaves_the_confirmations_as_they_were() -> None:
    assert a_meeting(*CONVENED, RESCHEDULED_AS_V1).state.stage == "convened"
    outcome = a_meeting(PROPOSED, BY_CHAIR, RESCHEDULED_AS_V1).when(ConfirmMeeting())
    outcome.then(BY_SECRETARIAT, MeetingConvened()).then_stage("convened")


def test_a_recorded_move_of_version_1_is_read_as_one_without_a_mover() -> None:
    moved = decode(golden()["throughline.meetings.MeetingRescheduled.v1"]).data
    assert isinstance(moved, MeetingRescheduled)
    assert (moved.by, moved.version) == (None, 2)


def test_the_move_of_a_meeting_that_was_held_changes_no_stage() -> None:
    assert a_meeting(*HELD, RESCHEDULED).state.stage == "held"


def test_a_recorded_meeting_needs_no_confirmation_and_counts_as_held() -> None:
    a_meeting(RECORDED).when(RecordOutcome(**DECISION)).then(OUTCOME).then_stage("recorded")


def test_a_held_meeting_is_held() -> None:
    a_meeting(*HISTORIES["convened"]).when(HoldMeeting()).then(MeetingHeld()).then_stage("held")


def test_a_cancelled_meeting_stays_cancelled() -> None:
    a_meeting(PROPOSED).when(CancelMeeting(reason="Synthetic storm")).then(CANCELLED).then_stage("cancelled")


def test_rescheduling_changes_only_the_named_fields() -> None:
    now = a_meeting(PROPOSED, RESCHEDULED).state.particulars
    assert (now.starts_at, now.ends_at, now.modality) == ("2026-04-01", "2026-04-02", "online")
    assert (now.time_zone, now.title, now.versions) == ("Asia/Bangkok", "Synthetic meeting", (1, 2))


def test_entries_stay_through_every_later_stage() -> None:
    state = a_meeting(*HISTORIES["convened"], ITEM_ADDED, DISSEMINATED, ATTENDED, MeetingHeld(), OUTCOME).state
    written = state.proceedings
    assert [(entry.fact, entry.versions) for entry in written.agenda] == [(ITEM_ADDED, (5,))]
    assert [(entry.fact, entry.versions) for entry in written.documents] == [(DISSEMINATED, (6,))]
    assert [(entry.fact, entry.versions) for entry in written.attendance] == [(ATTENDED, (7,))]
    assert [(entry.fact, entry.versions) for entry in written.outcomes] == [(OUTCOME, (9,))]
    assert (state.stage, state.confirmed_by) == ("held", ("chair", "secretariat"))


def test_a_correction_replaces_the_corrected_event() -> None:
    right = OUTCOME.model_copy(update={"text": "Synthetic decision, as it was taken"})
    title = PROPOSED.model_copy(update={"title": "Synthetic meeting, its right title"})
    state = a_meeting(*HELD, OUTCOME, corrected(6, right), corrected(1, title)).state
    assert state.stage == "held"
    assert [(entry.fact, entry.versions) for entry in state.proceedings.outcomes] == [(right, (6, 7))]
    assert (state.particulars.title, state.particulars.versions) == ("Synthetic meeting, its right title", (1, 8))


def test_a_corrected_proposal_does_not_undo_a_later_rescheduling() -> None:
    right = PROPOSED.model_copy(update={"starts_at": "2026-03-03T10:00:00+07:00"})
    assert a_meeting(PROPOSED, RESCHEDULED, corrected(1, right)).state.particulars.starts_at == "2026-04-01"


@pytest.mark.parametrize("event", [BY_CHAIR, RESCHEDULED, CANCELLED, ITEM_ADDED, ATTENDED, OUTCOME, MeetingHeld()])
def test_events_without_a_meeting_are_ignored(event: Event) -> None:
    assert a_meeting(event).state.stage == "absent"


def test_an_event_against_the_rules_is_still_folded() -> None:
    assert a_meeting(PROPOSED, CANCELLED, MeetingHeld()).state.stage == "held"


def test_lists_filter_meetings_by_stage_form_members_and_matters() -> None:
    item = ITEM_ADDED.model_copy(update={"priority": "air", "provisions": (REF,)})
    other = AttendanceRecorded(**ATTENDED.model_dump() | {"membership": "e2", "member": "KHM", "presence": "remote"})
    assert MEETING.facets(a_meeting(*HELD, item, other, ATTENDED).state) == {
        "stage": "held",
        "kind": "technical_expert_group",
        "modality": "hybrid",
        "member": ["FJI", "KHM"],
        "membership": ["e1", "e2"],
        "priority": ["air"],
        "instrument": ["res-1"],
        "month": ["2026-03"],
        "awaits": [],
    }
    assert MEETING.facets(a_meeting(RECORDED).state)["modality"] == "unknown"
    assert MEETING.facets(a_meeting().state) == {"stage": "absent"}


def test_a_correction_is_checked_for_the_streams_that_it_names() -> None:
    item = ITEM_ADDED.model_copy(update={"priority": "air", "provisions": (REF,)})
    assert MEETING.names(item) == {"priority/air", "instrument/res-1"} >= set(AIR)
    assert MEETING.names(ATTENDED) == {"membership/e1"}
    assert MEETING.names(OUTCOME) == MEETING.names(ITEM_ADDED) == frozenset()


def test_place_and_link_stand_with_the_meeting_and_move_with_it() -> None:
    proposed = PROPOSED.model_copy(update={"place": "Synthetic room", "link": "https://example.org/one"})
    particulars = a_meeting(proposed).state.particulars
    assert (particulars.place, particulars.link) == ("Synthetic room", "https://example.org/one")
    moved = RESCHEDULED.model_copy(update={"place": "Synthetic hall"})
    particulars = a_meeting(proposed, moved).state.particulars
    assert (particulars.place, particulars.link) == ("Synthetic hall", "https://example.org/one")
    place = {"place": "Synthetic hall"}
    a_meeting(PROPOSED).when(RescheduleMeeting(**LATER, **place)).then(RESCHEDULED.model_copy(update=place))


@pytest.mark.parametrize("link", ["http://example.org", "javascript:alert(1)", "https://", "https://a b", "https://ä"])
def test_a_link_is_an_address_that_begins_with_https(link: str) -> None:
    with pytest.raises(ValueError, match="link"):
        ProposeMeeting(**FORM, link=link)


def test_a_recorded_meeting_has_a_zone_that_its_times_fit() -> None:
    given_zone = OLD | {"starts_at": "2019-05-02T10:00:00+07:00", "time_zone": "Asia/Bangkok"}
    a_meeting().when(RecordMeeting(**given_zone)).then(MeetingRecorded(**given_zone))
    a_meeting().when(RecordMeeting(**given_zone | {"time_zone": "Asia/Tokyo"})).then_refused(TimeZoneDoesNotFit)


@pytest.mark.parametrize(
    ("begins", "ends", "months"),
    [
        ("2026-03-02T10:00:00+07:00", None, ["2026-03"]),
        ("2026-11-30", "2027-01-02", ["2026-11", "2026-12", "2027-01"]),
        ("2019-05", None, ["2019-05"]),
        ("2019-05", "2019", ["2019-05", "2019-06", "2019-07", "2019-08", "2019-09", "2019-10", "2019-11", "2019-12"]),
        ("2019", "2019-05", ["2019"]),
        (None, "2019-05", []),
        (None, None, []),
    ],
)
def test_a_calendar_lists_a_meeting_in_each_month_in_which_it_takes_place(
    begins: str | None, ends: str | None, months: list[str]
) -> None:
    recorded = MeetingRecorded(meeting="m1", title="Synthetic", kind="forum", starts_at=begins, ends_at=ends)
    assert MEETING.facets(a_meeting(recorded).state)["month"] == months


def test_a_meeting_is_listed_in_the_month_in_which_it_was_held() -> None:
    held = MeetingHeld(held_from="2026-04-01", held_to="2026-04-02")
    assert MEETING.facets(a_meeting(*CONVENED, held).state)["month"] == ["2026-04"]

"""Attendance of several experts by one command: all of them or none, and the refusal names the row."""

from __future__ import annotations

from typing import Any

import pytest

from services.meetings.commands import RecordAttendanceList
from services.meetings.domain.foreign import MEMBERSHIP
from services.meetings.domain.rules import (
    AttendanceListedTwice,
    AttendanceOnRecord,
    TwoConfirmationsConveneAMeeting,
)
from shared.domain.rejections import NotHeardYet, OutOfOrder, Rejection
from shared.events.meetings import AttendanceRecorded
from shared.events.nominations import MembershipBegan, MembershipEnded
from shared.events.values import Seen
from tests.given import known
from tests.meetings.synthetic import ATTENDED, HELD, HISTORIES, MEMBER, PROPOSED, a_meeting

SECOND = MembershipBegan(membership="e2", nomination="e2", person="synthetic-person-2", member="KHM")
MEMBERS = MEMBER | known(MEMBERSHIP, "membership/e2", SECOND, MembershipEnded(reason="term_ended"))


def listed(*memberships: str, **more: Any) -> RecordAttendanceList:
    rows = [{"membership": membership, "presence": "in_room"} for membership in memberships]
    return RecordAttendanceList.model_validate({"attendance": rows, **more})


def attended(membership: str, member: str, version: int, **more: Any) -> AttendanceRecorded:
    seen = Seen(stream=f"membership/{membership}", version=version)
    return AttendanceRecorded(membership=membership, member=member, presence="in_room", seen=seen, **more)


@pytest.mark.parametrize("history", ["convened", "held", "recorded"])
def test_each_row_is_an_event_of_its_own_in_the_order_of_the_list(history: str) -> None:
    expected = (
        attended("e2", "KHM", 2, membership_ended=True, source="Synthetic list", status="inferred"),
        attended("e1", "FJI", 1, source="Synthetic list", status="inferred"),
    )
    command = listed("e2", "e1", source="Synthetic list", status="inferred")
    a_meeting(*HISTORIES[history]).knowing(MEMBERS).when(command).then(*expected)


@pytest.mark.parametrize(
    ("memberships", "rule", "names"),
    [
        (("e2", "e1"), AttendanceOnRecord, "attendance.1.membership e1"),
        (("e2", "e2"), AttendanceListedTwice, "attendance.1.membership e2"),
        (("e2", "e9"), NotHeardYet, "membership/e9"),
    ],
)
def test_a_row_that_cannot_be_refuses_the_list_and_is_named(
    memberships: tuple[str, ...], rule: type[Rejection], names: str
) -> None:
    outcome = a_meeting(*HELD, ATTENDED).knowing(MEMBERS).when(listed(*memberships))
    assert names in outcome.then_refused(rule).sentence()


def test_a_list_is_not_taken_before_the_meeting_is_convened_nor_after_it_is_cancelled() -> None:
    a_meeting(PROPOSED).knowing(MEMBERS).when(listed("e1")).then_refused(TwoConfirmationsConveneAMeeting)
    a_meeting(*HISTORIES["cancelled"]).knowing(MEMBERS).when(listed("e1")).then_refused(OutOfOrder)


@pytest.mark.parametrize("rows", [0, 201])
def test_a_list_has_1_to_200_rows(rows: int) -> None:
    with pytest.raises(ValueError, match="attendance"):
        listed(*(f"e{number}" for number in range(rows)))

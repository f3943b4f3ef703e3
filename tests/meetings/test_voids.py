"""Voids in a meeting's stream: what would be convened or held with one confirmation, or attended twice."""

from __future__ import annotations

from typing import Any

import pytest

from services.meetings import commands as c
from services.meetings.domain.meeting import MEETING
from services.meetings.domain.rules import ConfirmationsStayWhileConvened
from services.meetings.projection import OWN
from shared.domain.aggregate import Command
from shared.domain.correction_rules import RecordedAnew
from shared.domain.rejections import Rejection
from shared.events.meetings import MeetingHeld
from shared.store.voiding import VoidRecord
from tests.meetings.synthetic import BY_CHAIR, DECISION, FORM, ITEM, LATER, MEMBER, PAPER, PROPOSED, a_meeting
from tests.shared.memory import MemoryService

M1 = "meeting/m1"
HOLD, CONFIRM = c.HoldMeeting(), c.ConfirmMeeting()


def voids(version: int) -> VoidRecord:
    """Void a version of the meeting."""
    return VoidRecord(voids=version, reason="Synthetic mistake")


async def convened(*commands: Command) -> MemoryService:
    """Return a service where the meeting was proposed, confirmed by both and convened (versions 1 to 4), and more."""
    office = MemoryService(dict(OWN), foreign=MEMBER)
    for command in (c.ProposeMeeting(**FORM), CONFIRM):
        await taken(office, command)
    await taken(office, CONFIRM, role="chair")
    for command in commands:
        await taken(office, command)
    return office


async def taken(office: MemoryService, command: Command, **role: Any) -> None:
    done = await office.execute(M1, command, **role)
    assert not isinstance(done, Rejection), done


@pytest.mark.parametrize(
    ("commands", "version", "refused"),
    [
        ((), 2, ConfirmationsStayWhileConvened(M1, "convened", "secretariat")),
        ((HOLD,), 2, ConfirmationsStayWhileConvened(M1, "held", "secretariat")),
        ((HOLD,), 3, ConfirmationsStayWhileConvened(M1, "held", "chair")),
        ((voids(4), voids(2)), 6, ConfirmationsStayWhileConvened(M1, "convened", "secretariat")),
    ],
    ids=["convened", "held", "with its convening", "by the void of a void"],
)
async def test_a_convened_or_held_meeting_keeps_both_confirmations(
    commands: tuple[Command, ...], version: int, refused: Rejection
) -> None:
    office = await convened(*commands)
    assert await office.execute(M1, voids(version)) == refused
    assert f"`throughline void {M1} VERSION`" in refused.sentence()


async def test_a_confirmation_is_voided_after_the_holding_and_convening() -> None:
    office = await convened(HOLD, voids(5), voids(4), voids(2))
    assert (await office.state(M1)).stage == "proposed"
    assert isinstance(await office.execute(M1, HOLD), Rejection)


async def test_other_events_of_a_convened_meeting_are_voided() -> None:
    office = await convened(c.AddAgendaItem(item="i1", title="Synthetic"), c.RescheduleMeeting(**LATER))
    await taken(office, CONFIRM, role="chair")
    for version, stage in ((6, "convened"), (5, "convened"), (1, "void")):
        await taken(office, voids(version))
        assert (await office.state(M1)).stage == stage


def test_what_was_held_with_one_confirmation_before_there_was_a_rule_takes_voids() -> None:
    held = a_meeting(PROPOSED, BY_CHAIR, MeetingHeld()).state
    assert MEETING.judge_void is not None
    assert MEETING.judge_void(held, held, {}, 4, M1) is None


ENTRIES: dict[str, Command] = {
    "attendance": c.RecordAttendance(membership="e1", presence="remote"),
    "item": c.AddAgendaItem(**ITEM),
    "document": c.DisseminateDocument(**PAPER),
    "outcome": c.RecordOutcome(**DECISION),
}


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
async def test_an_entry_that_was_entered_anew_does_not_hold_again(entry: Command) -> None:
    office = await convened(HOLD, entry, voids(6), entry)
    assert await office.execute(M1, voids(7)) == RecordedAnew(M1, 6, 8)
    await taken(office, voids(8))
    await taken(office, voids(7))

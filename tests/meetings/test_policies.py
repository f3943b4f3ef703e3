"""The end of a membership that becomes known after its attendances: noted in the meetings, a gap on their traces."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.meetings.domain.foreign import MEMBERSHIP
from services.meetings.domain.meeting import MEETING
from services.meetings.domain.terms import gaps_of
from services.meetings.projection import OWN
from services.meetings.subscribers import Policies
from shared.domain.aggregate import Context
from shared.domain.voids import voids_of
from shared.events import nominations as n
from shared.events import recommendations as r
from shared.events.event import Event
from shared.store.correcting import CorrectRecord
from shared.store.voiding import VoidRecord
from tests.history import History, composed
from tests.meetings.synthetic import ATTENDED, BEGAN, HELD
from tests.shared.memory import MemoryService

LIMITS = {"membership_ended": True, "membership_ended_on": "2026-02"}
MEETING_STREAM, MEMBER = "meeting/m1", "membership/e1"
ATTENDANCE = "An expert of FJI (e1) attended Synthetic meeting"
AFTER = f"{ATTENDANCE} after the membership had ended on February 2026."
UNKNOWN = f"{ATTENDANCE}; the membership has ended, before or after is unknown."
BEFORE = f"{ATTENDANCE} before the membership began on April 2026."


def ended(on: str | None = "2026-02") -> n.MembershipEnded:
    return n.MembershipEnded(reason="term_ended", ended_on=on)


def corrected(version: int, data: Event) -> n.RecordCorrected:
    whole = data.model_dump(mode="json", exclude_none=True)
    return n.RecordCorrected(corrects=version, data=whole, reason="Synthetic slip")


def void(version: int) -> n.RecordVoided:
    return n.RecordVoided(voids=version, reason="Synthetic mistake")


class Office(MemoryService):
    """The meetings service in memory, and the memberships that it consumes."""

    async def record(self, stream: str, *events: Event, role: str = "secretariat") -> None:
        """Append events as they are, as a sibling or older code recorded them; no policy has run yet."""
        for event in events:
            head, _ = await self.store.read(stream)
            key = f"{stream}-{head.version + 1}"
            await self.store.append(head, [event], Context(datetime.now(UTC), "synthetic", role, key, key), key)

    async def by_facet(self, kind: str, facet: str, values: Iterable[str]) -> dict[str, set[str]]:
        streams = [stream for stream in self.store.recorded if stream.startswith(f"{kind}/")]
        facets = {stream: MEETING.facets(await self.state(stream)).get(facet, ()) for stream in streams}
        return {value: {stream for stream in streams if value in facets[stream]} for value in values}

    async def run_policies(self) -> None:
        """Let the policies run until nothing follows any more."""
        await self.run(Policies(self.handler, self.by_facet), "meetings")

    async def consumed(self, *events: Event) -> list[str]:
        """Consume events of the membership, run the policies, and return the gaps of terms on the trace."""
        await self.record(MEMBER, *events)
        await self.run_policies()
        return self.gaps()

    def gaps(self) -> list[str]:
        """Return the gaps of terms on the trace of a recommendation that was discussed at the meeting."""
        history, reference = History(), "SYN/2026/R1"
        history.add(MEETING_STREAM, *(each.data for each in self.store.recorded[MEETING_STREAM]))
        seen = {"stream": MEETING_STREAM, "version": 1}
        discussed = r.RecommendationDiscussed(meeting="m1", seen=seen)
        drafted = r.RecommendationDrafted(reference=reference, title="Synthetic")
        history.add(f"recommendation/{reference}", drafted, discussed)
        shown = composed(history.all())[reference]["gaps"]
        return [gap for gap in shown if gap.startswith(ATTENDANCE)]

    def length(self) -> int:
        return len(self.store.recorded[MEETING_STREAM])


async def an_office(*before: Event, attended: bool = True) -> Office:
    """Return an office that has heard of a member, who attended the meeting of 2 March 2026."""
    office = Office({**OWN, MEMBERSHIP.kind: MEMBERSHIP})
    await office.record(MEMBER, BEGAN, *before)
    await office.record(MEETING_STREAM, *HELD, *([ATTENDED] if attended else []))
    await office.run_policies()
    return office


@pytest.mark.parametrize(
    ("events", "gap"),
    [
        ((ended(),), [AFTER]),
        ((ended(None),), [UNKNOWN]),
        ((ended("2026-03-02"),), []),
        ((ended("2026-08"),), []),
        ((ended(None), corrected(2, ended())), [AFTER]),
        ((ended(), corrected(2, ended("2026-08"))), []),
        ((corrected(1, BEGAN.model_copy(update={"began_on": "2026-04"})),), [BEFORE]),
        ((ended(), void(2)), []),
        ((ended(), void(2), void(3)), [AFTER]),
        ((ended(), void(1)), []),
        ((ended(), void(1), void(3)), [AFTER]),
    ],
)
@pytest.mark.parametrize("batched", [True, False])
async def test_what_becomes_known_of_a_term_is_a_gap_on_the_trace(
    events: tuple[Event, ...], gap: list[str], batched: bool
) -> None:
    office = await an_office()
    assert office.gaps() == []
    for each in [events] if batched else [(event,) for event in events]:
        shown = await office.consumed(*each)
    assert shown == gap
    assert office.refusals.rules == []


async def test_nothing_is_recorded_where_the_term_was_over_after_the_meeting_or_it_says_so_already() -> None:
    office = await an_office()
    length = office.length()
    await office.consumed(ended("2026-08"))
    assert office.length() == length
    office = await an_office(attended=False)
    await office.record(MEMBER, ended())
    await office.record(MEETING_STREAM, ATTENDED.model_copy(update=LIMITS))
    await office.run_policies()
    assert (office.gaps(), office.length()) == ([AFTER], length)


async def test_the_void_of_the_end_voids_the_note_and_its_void_lets_it_hold_again() -> None:
    office = await an_office()
    await office.consumed(ended())
    note = office.store.recorded[MEETING_STREAM][-1]
    assert (note.role, note.actor, note.causationid) == (
        "system",
        "policy:note-term",
        office.store.recorded[MEMBER][-1].id,
    )
    assert await office.consumed(void(2)) == []
    assert set(voids_of(office.store.recorded[MEETING_STREAM])) == {note.streamversion}
    assert await office.consumed(void(3)) == [AFTER]
    assert note.streamversion not in voids_of(office.store.recorded[MEETING_STREAM])


async def test_an_end_that_was_known_when_the_attendance_was_recorded_and_is_void_is_no_gap() -> None:
    office = await an_office(ended(), attended=False)
    await office.record(MEETING_STREAM, ATTENDED.model_copy(update=LIMITS))
    await office.run_policies()
    assert office.gaps() == [AFTER]
    assert await office.consumed(void(2)) == []


async def test_an_end_that_was_consumed_before_the_attendance_that_did_not_know_it_is_noted() -> None:
    office = await an_office(attended=False)
    await office.consumed(ended())
    await office.record(MEETING_STREAM, ATTENDED)
    await office.run_policies()
    assert office.gaps() == [AFTER]


async def test_the_policies_on_the_same_events_again_record_nothing() -> None:
    office = await an_office()
    for events in ((ended(),), (void(2),), (void(3),)):
        await office.consumed(*events)
    length = office.length()
    office.reacted.clear()
    assert await office.consumed() == [AFTER]
    assert office.length() == length


async def test_two_instances_note_an_end_once() -> None:
    office = await an_office()
    await office.record(MEMBER, ended())
    length, event = office.length(), office.store.recorded[MEMBER][-1]
    policies = [Policies(office.handler, office.by_facet) for _ in range(2)]
    await asyncio.gather(*(each.react(event) for each in policies))
    assert (office.length(), office.gaps()) == (length + 1, [AFTER])


async def test_another_correction_of_the_attendance_keeps_the_gap_and_its_void_takes_it_away() -> None:
    office = await an_office()
    await office.consumed(ended())
    data: dict[str, Any] = ATTENDED.model_dump(mode="json", exclude_none=True) | {"presence": "remote"}
    await office.execute(MEETING_STREAM, CorrectRecord(corrects=6, data=data, reason="Synthetic slip"))
    await office.run_policies()
    assert office.gaps() == [AFTER]
    assert (await office.state(MEETING_STREAM)).proceedings.attendance[0].fact.presence == "remote"
    await office.execute(MEETING_STREAM, VoidRecord(voids=6, reason="Synthetic mistake"))
    await office.run_policies()
    assert office.gaps() == []


async def test_a_date_of_the_meeting_that_is_put_right_is_looked_at_again() -> None:
    office = await an_office()
    await office.consumed(ended("2026-08"))
    later = HELD[0].model_dump(mode="json", exclude_none=True)
    later |= {"starts_at": "2026-09-02T10:00:00+07:00", "ends_at": "2026-09-02T13:00:00+07:00"}
    await office.execute(MEETING_STREAM, CorrectRecord(corrects=1, data=later, reason="Synthetic slip"))
    await office.run_policies()
    assert office.gaps() == [f"{ATTENDANCE} after the membership had ended on August 2026."]


STEPS = st.lists(
    st.one_of(
        st.sampled_from(["policies", "attendance"]),
        st.sampled_from([ended(), ended(None), ended("2026-08")]),
        st.tuples(st.just("correct"), st.sampled_from([ended(), ended(None), ended("2026-08")])),
        st.tuples(st.just("void"), st.sampled_from([MEMBER, MEETING_STREAM]), st.integers(1, 9)),
    ),
    max_size=9,
)


async def _take(office: Office, step: Any) -> None:
    """Take a step; what the record's own rules refuse is left out."""
    length = len(office.store.recorded[MEMBER])
    match step:
        case "policies":
            await office.run_policies()
        case "attendance":
            if office.length() == len(HELD):
                await office.record(MEETING_STREAM, ATTENDED)
        case ("correct", data):
            if length > 1 and isinstance(office.store.recorded[MEMBER][1].data, n.MembershipEnded):
                await office.record(MEMBER, corrected(2, data))
        case ("void", stream, version):
            await office.execute(stream, VoidRecord(voids=version, reason="Synthetic mistake"))
        case _ if length == 1:
            await office.record(MEMBER, step)
        case _:
            return


async def _end(steps: list[Any]) -> tuple[list[str], list[str]]:
    """Take the steps; return the gaps on the trace, and those known now of the meeting."""
    office = await an_office(attended=False)
    for step in steps:
        await _take(office, step)
    await office.run_policies()
    known = gaps_of(await office.state(MEETING_STREAM), {MEMBER: await office.state(MEMBER)})
    return office.gaps(), [gap for gap in known if "is void" not in gap]


@pytest.mark.slow
@example(steps=["attendance", ended(), "policies", ("correct", ended(None)), ("void", MEMBER, 2)])
@example(steps=["attendance", ended(), "policies", ("void", MEETING_STREAM, 6), ("void", MEMBER, 2), "policies"])
@settings(max_examples=100, deadline=None)
@given(steps=STEPS)
def test_whatever_is_ended_corrected_and_voided_the_trace_says_what_is_known_now(steps: list[Any]) -> None:
    shown, known = asyncio.run(_end(steps))
    assert shown == known, steps

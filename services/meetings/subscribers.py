"""Subscribed topics and policies, as one table.

| event | from | effect |
|---|---|---|
| every event of meetings | Kafka | journal, fold |
| every event of nominations | Kafka | journal, fold: members of the group, with the nominating Government |
| every event of recommendations | Kafka | journal, fold: priorities and provisions |
| MembershipEnded, a correction or void of a membership | nominations | attendances outside it: `CorrectRecord` |
| AttendanceRecorded, or what changes the dates of a meeting, by a person | own topic | the same, of this meeting |
| RecordVoided | both | what followed from the void event is voided, by the inverse in docs/policies.md |
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from services.meetings.domain.meeting import MEETING
from services.meetings.domain.terms import memberships_of, put_right
from services.meetings.handlers import Handlers
from shared.events.catalogue import Recorded
from shared.events.event import Correction, Voiding
from shared.events.meetings import AttendanceRecorded, MeetingHeld, MeetingRescheduled
from shared.events.nominations import MembershipEnded
from shared.store.correcting import CorrectRecord
from shared.store.policies import Handle, react

FacetLookup = Callable[[str, str, Iterable[str]], Awaitable[dict[str, set[str]]]]
_OF_A_MEMBERSHIP = (MembershipEnded, Correction, Voiding)
_OF_A_MEETING = (AttendanceRecorded, MeetingRescheduled, MeetingHeld, Correction, Voiding)
_REASON = "The term of the membership is known otherwise since."


class Policies:
    """The policies of this service; a second reaction to an event does nothing.

    `by_facet` finds the meetings, as far as they are folded, that a membership attended.
    """

    def __init__(self, handlers: Handlers, by_facet: FacetLookup) -> None:
        self.handle: Handle = handlers.handle
        self._known = handlers.known
        self._facts = handlers.facts
        self._by_facet = by_facet

    def handles(self, event: Recorded) -> bool:
        """Tell whether an event may put an attendance outside the term of its membership, or back into it."""
        if event.subject.startswith("meeting/"):
            return event.role != "system" and isinstance(event.data, _OF_A_MEETING)
        return _is_of_a_membership(event) and isinstance(event.data, _OF_A_MEMBERSHIP)

    async def react(self, event: Recorded) -> None:
        """Correct the attendances that say another term than is known now."""
        if _is_of_a_membership(event):
            for meeting in sorted(await self.affected(event)):
                await self._put_right(event, meeting, frozenset({event.subject}))
        else:
            await self._put_right(event, event.subject, MEETING.names(event.data))

    async def affected(self, event: Recorded) -> set[str]:
        """Return the meetings that a membership attended."""
        if not _is_of_a_membership(event):
            return set()
        membership = event.subject.partition("/")[2]
        return (await self._by_facet(MEETING.kind, "membership", [membership]))[membership]

    async def _put_right(self, event: Recorded, meeting: str, only: frozenset[str]) -> None:
        """Correct the attendances of these memberships at a meeting; without any, of all."""
        known = await self._known(meeting)
        if known is None:
            return
        memberships = await self._facts(only or memberships_of(known.state))
        for version, data in put_right(known.state, memberships):
            whole = data.model_dump(mode="json", exclude_none=True)
            command = CorrectRecord(corrects=version, data=whole, reason=_REASON)
            target = f"{meeting}:{version}:{data.seen.version}"
            await react(self.handle, event, "note-term", meeting, command, target=target)


def _is_of_a_membership(event: Recorded) -> bool:
    return event.subject.startswith("membership/")

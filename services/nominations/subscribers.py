"""Subscribed topics and policies, as one table.

| event | from | effect |
|---|---|---|
| every event of nominations | Kafka | journal, fold |
| NominationAccepted | own topic | its expert becomes a member: `BeginMembership`, under the nomination's own id |
| MembershipBegan that replaces another of its member | own topic | the other ends: `EndMembership`, reason `replaced` |
| NominationWithdrawn | own topic | its membership ends: `EndMembership`, reason `withdrawn_by_government` |
| RecordVoided of a nomination that is accepted by it | own topic | its expert becomes a member: `BeginMembership` |
| RecordVoided of a membership that is active by it | own topic | it ends by another cause that holds: `EndMembership` |
| ExpertErased | own topic | the expert's key is destroyed, should it still be there |
| RecordVoided | own topic | what followed from the void event is voided, by the inverse in docs/policies.md |
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from services.nominations.commands import BeginMembership, EndMembership
from services.nominations.domain.nomination import Accepted
from services.nominations.handlers import Handlers
from shared.domain.voids import voids_of
from shared.events.catalogue import Recorded
from shared.events.nominations import (
    ExpertErased,
    MembershipBegan,
    NominationAccepted,
    NominationWithdrawn,
    RecordVoided,
)
from shared.store.command_handler import KeyLookup, StateLookup, no_namesakes
from shared.store.policies import Handle, react

_HANDLED = (NominationAccepted, MembershipBegan, NominationWithdrawn, ExpertErased)
Read = Callable[[str], Awaitable[tuple[Any, list[Recorded]]]]


async def no_events(_stream: str) -> tuple[None, list[Recorded]]:
    """Find no event of a stream."""
    return None, []


class Policies:
    """The policies of this service; a second reaction to an event does nothing.

    `known` and `read` read this service's own store, for the membership to end and the causes of its end; `replacing`
    finds the memberships that replace one.
    """

    def __init__(
        self,
        handlers: Handlers,
        known: StateLookup,
        read: Read = no_events,
        replacing: KeyLookup = no_namesakes,
    ) -> None:
        self._handlers = handlers
        self._known = known
        self._read = read
        self._replacing = replacing
        self.handle: Handle = handlers.handle

    def handles(self, event: Recorded) -> bool:
        """Tell whether a policy reacts to an event."""
        is_void = isinstance(event.data, RecordVoided) and event.subject.startswith(("membership/", "nomination/"))
        return is_void or isinstance(event.data, _HANDLED)

    async def react(self, event: Recorded) -> None:
        """Begin and end memberships as nominations and other memberships require."""
        key = event.subject.partition("/")[2]
        match event.data:
            case NominationAccepted(accepted_on=on):
                begin = BeginMembership(nomination=key, began_on=on)
                await react(self._handlers.handle, event, "begin-membership", f"membership/{key}", begin)
            case MembershipBegan(replaces=str(replaced), member=member, began_on=on):
                command = EndMembership(reason="replaced", ended_on=on)
                await self._end(event, "end-replaced", replaced, command, only_of=member)
            case NominationWithdrawn(withdrawn_on=on):
                if await self._is_accepted(event.subject):
                    return
                command = EndMembership(reason="withdrawn_by_government", ended_on=on)
                await self._end(event, "end-withdrawn", key, command)
            case ExpertErased(person=person):
                await self._handlers.forget(person)
            case RecordVoided() if event.subject.startswith("membership/"):
                await self._end_for_others(key)
            case RecordVoided() if event.subject.startswith("nomination/"):
                await self._begin_late(event.subject)
            case _:
                return

    async def affected(self, event: Recorded) -> frozenset[str]:
        """Return the membership that an event begins or ends."""
        match event.data:
            case NominationAccepted() | NominationWithdrawn():
                return frozenset({f"membership/{event.subject.partition('/')[2]}"})
            case MembershipBegan(replaces=str(replaced)):
                return frozenset({f"membership/{replaced}"})
            case _:
                return frozenset()

    async def _begin_late(self, nomination: str) -> None:
        """React to an acceptance that holds since a later withdrawal is void; where it was reacted to, do nothing."""
        known = await self._known(nomination)
        membership = await self._known(f"membership/{nomination.partition('/')[2]}")
        is_member = membership is not None and membership.state.stage == "active"
        if is_member or known is None or not isinstance(known.state, Accepted):
            return
        events = (await self._read(nomination))[1]
        voids = voids_of(events)
        for cause in events:
            if isinstance(cause.data, NominationAccepted) and cause.streamversion not in voids:
                await self.react(cause)

    async def _end_for_others(self, membership: str) -> None:
        """End a membership whose end for one cause is void, where another cause of its end holds."""
        known = await self._known(f"membership/{membership}")
        if known is None or known.state.stage != "active":
            return
        replacing = await self._replacing("membership", [membership])
        for stream in (f"nomination/{membership}", *sorted(replacing)):
            events = (await self._read(stream))[1]
            voids = voids_of(events)
            for cause in events:
                ends = (
                    isinstance(cause.data, NominationWithdrawn) or getattr(cause.data, "replaces", None) == membership
                )
                if ends and 1 not in voids and cause.streamversion not in voids:
                    await self.react(cause)

    async def _is_accepted(self, nomination: str) -> bool:
        """Tell whether a nomination was accepted after a withdrawal that holds again by the void of a void."""
        known = await self._known(nomination)
        return known is not None and isinstance(known.state, Accepted)

    async def _end(
        self, event: Recorded, policy: str, membership: str, command: EndMembership, only_of: str | None = None
    ) -> None:
        """End a membership that is active; of a member given, only that member's: older events may name another's."""
        stream = f"membership/{membership}"
        known = await self._known(stream)
        if known is None or known.state.stage not in ("active", "void"):
            return
        if only_of in (None, known.state.member):
            await react(self._handlers.handle, event, policy, stream, command)

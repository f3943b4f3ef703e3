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
from services.nominations.domain.membership import Active, Ended
from services.nominations.domain.nomination_states import Accepted
from services.nominations.handlers import Handlers
from shared.domain.voids import holding, voids_of
from shared.events.catalogue import Recorded
from shared.events.nominations import (
    ExpertErased,
    MembershipBegan,
    MembershipEnded,
    NominationAccepted,
    NominationWithdrawn,
    RecordCorrected,
    RecordVoided,
)
from shared.store.command_handler import KeyLookup, StateLookup, no_namesakes
from shared.store.policies import Handle, react, void_effect

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
            case MembershipBegan():
                await self._end_replaced(event, event.data)
            case NominationWithdrawn(withdrawn_on=on):
                if await self._is_accepted(event.subject):
                    return
                command = EndMembership(reason="withdrawn_by_government", ended_on=on)
                await self._end(event, "end-withdrawn", key, command)
            case ExpertErased(person=person):
                await self._handlers.forget(person)
            case RecordVoided() if event.subject.startswith("membership/"):
                await self._resolve_replaced(event)
                await self._end_for_others(key)
            case RecordVoided() if event.subject.startswith("nomination/"):
                await self._begin_late(event.subject)
            case _:
                return

    async def affected(self, event: Recorded) -> frozenset[str]:
        """Return the membership that a step of a nomination begins or ends; `_resolve_replaced` settles the others."""
        match event.data:
            case NominationAccepted() | NominationWithdrawn():
                return frozenset({f"membership/{event.subject.partition('/')[2]}"})
            case _:
                return frozenset()

    async def _end_replaced(self, event: Recorded, recorded: MembershipBegan) -> None:
        """End the membership that a beginning replaces, as the beginning reads now."""
        began = await self._begun(event.subject) or recorded
        if began.replaces is not None:
            command = EndMembership(reason="replaced", ended_on=began.began_on)
            target = None if began.replaces == recorded.replaces else began.replaces
            await self._end(event, "end-replaced", began.replaces, command, only_of=began.member, target=target)

    async def _resolve_replaced(self, void: Recorded) -> None:
        """Let the end of each membership that one replaced hold just where it replaces that one now."""
        _, history = await self._read(void.subject)
        began = await self._begun(void.subject)
        for replaced in sorted(_replaced_in(history)):
            await self._resolve_end(void, history, replaced, holds=began is not None and began.replaces == replaced)

    async def _resolve_end(self, void: Recorded, causes: list[Recorded], replaced: str, *, holds: bool) -> None:
        """Void the end of a replaced membership, or the void of that end."""
        ids = {cause.id for cause in causes}
        _, history = await self._read(f"membership/{replaced}")
        voids = voids_of(history)
        for end in history:
            if isinstance(end.data, MembershipEnded) and end.role == "system" and end.causationid in ids:
                if holds and end.streamversion in voids:
                    await void_effect(self.handle, void, voids[end.streamversion])
                elif not holds and end.streamversion not in voids:
                    await void_effect(self.handle, void, end)

    async def _begin_late(self, nomination: str) -> None:
        """React to an acceptance that holds since a later withdrawal is void; where it was reacted to, do nothing."""
        membership = f"membership/{nomination.partition('/')[2]}"
        if await self._is_active(membership) or not await self._is_accepted(nomination):
            return
        for cause in await self._holding(nomination):
            if isinstance(cause.data, NominationAccepted):
                await self.react(cause)

    async def _end_for_others(self, membership: str) -> None:
        """End a membership whose end for one cause is void, where another cause of its end holds."""
        if not await self._is_active(f"membership/{membership}"):
            return
        replacing = await self._replacing("membership", [membership])
        for stream in (f"nomination/{membership}", *sorted(replacing)):
            for cause in await self._holding(stream):
                if isinstance(cause.data, NominationWithdrawn | MembershipBegan):
                    await self.react(cause)

    async def _holding(self, stream: str) -> list[Recorded]:
        return holding((await self._read(stream))[1])

    async def _begun(self, membership: str) -> MembershipBegan | None:
        """Return the beginning of a membership as it reads now; None where it is void or not on record."""
        known = await self._known(membership)
        return known.state.began if known is not None and isinstance(known.state, Active | Ended) else None

    async def _is_active(self, membership: str) -> bool:
        known = await self._known(membership)
        return known is not None and known.state.stage == "active"

    async def _is_accepted(self, nomination: str) -> bool:
        """Tell whether a nomination was accepted after a withdrawal that holds again by the void of a void."""
        known = await self._known(nomination)
        return known is not None and isinstance(known.state, Accepted)

    async def _end(
        self,
        event: Recorded,
        policy: str,
        membership: str,
        command: EndMembership,
        only_of: str | None = None,
        target: str | None = None,
    ) -> None:
        """End a membership that is active; of a member given, only that member's: older events may name another's."""
        stream = f"membership/{membership}"
        known = await self._known(stream)
        if known is None or known.state.stage not in ("active", "void"):
            return
        if only_of in (None, known.state.member):
            await react(self._handlers.handle, event, policy, stream, command, target=target)


def _replaced_in(history: list[Recorded]) -> set[str]:
    """Return the memberships that one was ever recorded to replace, in its beginning or a correction of it."""
    recorded = [event.data.data if isinstance(event.data, RecordCorrected) else event.data.model_dump()
                for event in history if isinstance(event.data, MembershipBegan | RecordCorrected)]  # fmt: skip
    return {data["replaces"] for data in recorded if isinstance(data.get("replaces"), str)}

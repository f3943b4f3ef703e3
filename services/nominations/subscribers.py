"""Who hears what, on one screen.

| heard | from | what follows |
|---|---|---|
| every event of nominations | Kafka | journal, fold |
| NominationAccepted | own topic | its expert becomes a member: `BeginMembership`, under the nomination's own id |
| MembershipBegan that replaces another | own topic | the other ends: `EndMembership`, reason `replaced` |
| NominationWithdrawn | own topic | what it began ends: `EndMembership`, reason `withdrawn_by_government` |
| ExpertErased | own topic | the expert's key is destroyed, should it still be there |
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

import structlog

from services.nominations.commands import BeginMembership, EndMembership
from services.nominations.handlers import Handlers
from shared.domain.aggregate import Command, Context
from shared.domain.rejections import Rejection
from shared.events.catalogue import Recorded
from shared.events.nominations import ExpertErased, MembershipBegan, NominationAccepted, NominationWithdrawn
from shared.store.command_handler import StateLookup

log = structlog.get_logger()

_ACTS_ON = (NominationAccepted, MembershipBegan, NominationWithdrawn, ExpertErased)


class Policies:
    """What this service does of itself when it hears an event; a second time, nothing.

    `known` reads this service's own store: whether there is a membership to end.
    """

    def __init__(self, handlers: Handlers, known: StateLookup) -> None:
        self._handlers = handlers
        self._known = known

    def handles(self, event: Recorded) -> bool:
        """Tell whether an event is one that something follows from."""
        return isinstance(event.data, _ACTS_ON)

    async def react(self, event: Recorded) -> None:
        """Begin and end memberships as nominations and other memberships ask for."""
        key = event.subject.partition("/")[2]
        match event.data:
            case NominationAccepted(accepted_on=on):
                await self._ask(event, "begin-membership", key, BeginMembership(nomination=key, began_on=on))
            case MembershipBegan(replaces=str(replaced), began_on=on):
                await self._end(event, "end-replaced", replaced, EndMembership(reason="replaced", ended_on=on))
            case NominationWithdrawn(withdrawn_on=on):
                command = EndMembership(reason="withdrawn_by_government", ended_on=on)
                await self._end(event, "end-withdrawn", key, command)
            case ExpertErased(person=person):
                await self._handlers.forget(person)
            case _:
                return

    async def _end(self, event: Recorded, policy: str, membership: str, command: EndMembership) -> None:
        known = await self._known(f"membership/{membership}")
        if known is not None and known.state.stage == "active":
            await self._ask(event, policy, membership, command)

    async def _ask(self, event: Recorded, policy: str, membership: str, command: Command) -> None:
        context = Context(
            now=datetime.now(UTC),
            actor=f"policy:{policy}",
            role="system",
            command_id=str(uuid5(NAMESPACE_URL, f"{event.id}:{policy}")),
            correlation_id=event.correlationid,
            causation_id=event.id,
        )
        outcome = await self._handlers(f"membership/{membership}", command, context)
        if isinstance(outcome, Rejection):
            log.error("policy_refused", policy=policy, event_id=event.id, rule=outcome.rule)

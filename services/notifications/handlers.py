"""Read, fold, decide, append; seal what is personal before, and send what a person decided to send again."""

from __future__ import annotations

from services.notifications.commands import AddSubscription, AddSubscriptionRequest, ResendNotification
from services.notifications.sending.sender import Sender
from shared.aggregates import Command, Context
from shared.event_store import Commit
from shared.handling import Ledgers, handle
from shared.rejections import Rejection
from shared.sealing import KeyRing


class Handlers:
    """Carries out this service's commands on its own store."""

    def __init__(self, ledgers: Ledgers, keys: KeyRing, sender: Sender) -> None:
        self._ledgers = ledgers
        self._keys = keys
        self._sender = sender

    async def __call__(
        self, stream: str, command: Command, context: Context, if_match: int | None = None
    ) -> Commit | Rejection:
        """Carry out a command on one stream."""
        if isinstance(command, AddSubscriptionRequest):
            command = await self._sealed(stream, command, context)
        outcome = await handle(self._ledgers, stream, command, context, if_match)
        if isinstance(command, ResendNotification) and isinstance(outcome, Commit) and not outcome.replayed:
            await self._sender.send_claimed(outcome)
        return outcome

    async def _sealed(self, stream: str, request: AddSubscriptionRequest, context: Context) -> AddSubscription:
        person = request.person or context.new_id("person")
        sealed = await self._keys.seal(person, request.details.model_dump())
        given = request.model_dump(exclude={"details"}, exclude_none=True)
        own = {"subscription": stream.partition("/")[2], "person": person, "sealed": sealed}
        return AddSubscription.model_validate(given | own)

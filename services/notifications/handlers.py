"""Read, fold, decide, append; seal what is personal before, and send what a person decided to send again."""

from __future__ import annotations

from services.notifications.commands import AddSubscription, AddSubscriptionRequest, EraseSubscriber, ResendNotification
from services.notifications.sending.sender import Sender
from shared.domain.aggregate import Command, Context
from shared.domain.rejections import Rejection
from shared.privacy.erasure import erase
from shared.privacy.key_ring import KeyRing
from shared.store.command_handler import CommandHandler, handle, refuse
from shared.store.event_store import Commit


class Handlers:
    """Carries out this service's commands on its own store."""

    def __init__(self, ledgers: CommandHandler, keys: KeyRing, sender: Sender) -> None:
        self._ledgers = ledgers
        self._keys = keys
        self._sender = sender

    async def __call__(
        self, stream: str, command: Command, context: Context, if_match: int | None = None
    ) -> Commit | Rejection:
        """Carry out a command on one stream."""
        if isinstance(command, EraseSubscriber):
            return await erase(self._ledgers, self._keys, stream, command, context, if_match)
        if isinstance(command, AddSubscriptionRequest):
            written = await self._sealed(stream, command, context)
            if isinstance(written, Rejection):
                return await refuse(self._ledgers, command, context, written)
            command = written
        outcome = await handle(self._ledgers, stream, command, context, if_match)
        if isinstance(command, ResendNotification) and isinstance(outcome, Commit) and not outcome.replayed:
            await self._sender.send_claimed(outcome)
        return outcome

    async def forget(self, person: str) -> None:
        """Destroy a subscriber's key. A second time, nothing."""
        await self._keys.destroy(person)

    async def _sealed(
        self, stream: str, request: AddSubscriptionRequest, context: Context
    ) -> AddSubscription | Rejection:
        person = request.person or context.new_id("person")
        sealed = await self._keys.encrypt(person, request.details.model_dump())
        if isinstance(sealed, Rejection):
            return sealed
        given = request.model_dump(exclude={"details"}, exclude_none=True)
        own = {"subscription": stream.partition("/")[2], "person": person, "sealed": sealed}
        return AddSubscription.model_validate(given | own)

"""Command handlers: encrypt personal data; read, fold, decide, append; then send what a person resends."""

from __future__ import annotations

from services.notifications.commands import AddSubscription, AddSubscriptionRequest, EraseSubscriber, ResendNotification
from services.notifications.sending.sender import Sender
from shared.domain.aggregate import Command, Context
from shared.domain.rejections import Rejection
from shared.privacy.erasure import erase
from shared.privacy.key_ring import KeyRing
from shared.store.command_handler import CommandHandler
from shared.store.event_store import Commit


class Handlers:
    """The command side of this service; it holds the keys of the subscribers."""

    def __init__(self, commands: CommandHandler, keys: KeyRing, sender: Sender) -> None:
        self._commands = commands
        self._keys = keys
        self._sender = sender

    async def handle(
        self, stream: str, command: Command, context: Context, expected_version: int | None = None
    ) -> Commit | Rejection:
        """Carry a command out; a subscriber's details go no further than here."""
        if isinstance(command, EraseSubscriber):
            return await erase(self._commands, self._keys, stream, command, context, expected_version)
        if isinstance(command, AddSubscriptionRequest):
            encrypted = await self._encrypted(stream, command, context)
            if isinstance(encrypted, Rejection):
                return await self._commands.refuse(command, context, encrypted)
            command = encrypted
        outcome = await self._commands.handle(stream, command, context, expected_version)
        if isinstance(command, ResendNotification) and isinstance(outcome, Commit) and not outcome.replayed:
            await self._sender.send_claimed(outcome)
        return outcome

    async def forget(self, person: str) -> None:
        """Destroy a subscriber's key. A second call does nothing."""
        await self._keys.destroy(person)

    async def _encrypted(
        self, stream: str, request: AddSubscriptionRequest, context: Context
    ) -> AddSubscription | Rejection:
        person = request.person or context.new_id("person")
        sealed = await self._keys.encrypt(person, request.details.model_dump())
        if isinstance(sealed, Rejection):
            return sealed
        fields = request.model_dump(exclude={"details"}, exclude_none=True)
        own = {"subscription": stream.partition("/")[2], "person": person, "sealed": sealed}
        return AddSubscription.model_validate(fields | own)

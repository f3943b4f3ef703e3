"""Command handlers: encrypt personal data; read, fold, decide, append; then send what a person resends."""

from __future__ import annotations

from collections.abc import Container
from functools import partial

from services.notifications.commands import AddSubscription, AddSubscriptionRequest, EraseSubscriber, ResendNotification
from services.notifications.sending.sender import Sender
from shared.domain.aggregate import Command, Context
from shared.domain.rejections import Rejection
from shared.events.values import Sealed
from shared.privacy.encrypted_commands import PersonNamed, handle_encrypted
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
        self, stream: str, command: Command, context: Context, expected: Container[int] | None = None
    ) -> Commit | Rejection:
        """Carry a command out; a subscriber's details go no further than here."""
        if isinstance(command, EraseSubscriber):
            return await erase(self._commands, self._keys, stream, command, context, expected)
        if isinstance(command, AddSubscriptionRequest):
            named = PersonNamed(command.person or context.new_id("person"), command.details.model_dump())
            build = partial(_add_subscription, stream, command)
            return await handle_encrypted(self._commands, self._keys, stream, named, build, context, expected)
        outcome = await self._commands.handle(stream, command, context, expected)
        if isinstance(command, ResendNotification) and isinstance(outcome, Commit) and not outcome.replayed:
            await self._sender.send_claimed(outcome)
        return outcome

    async def forget(self, person: str) -> None:
        """Destroy a subscriber's key. A second call does nothing."""
        await self._keys.destroy(person)


def _add_subscription(stream: str, request: AddSubscriptionRequest, sealed: Sealed) -> AddSubscription:
    fields = request.model_dump(exclude={"details"}, exclude_none=True)
    own = {"subscription": stream.partition("/")[2], "person": sealed.person, "sealed": sealed}
    return AddSubscription.model_validate(fields | own)

"""Read, fold, decide, append."""

from __future__ import annotations

from shared.domain.aggregate import Command, Context
from shared.domain.rejections import Rejection
from shared.store.command_handler import CommandHandler, handle
from shared.store.event_store import Commit


class Handlers:
    """Carries out this service's commands on its own store and on what it has heard."""

    def __init__(self, ledgers: CommandHandler) -> None:
        self._ledgers = ledgers

    async def __call__(
        self, stream: str, command: Command, context: Context, if_match: int | None = None
    ) -> Commit | Rejection:
        """Carry out a command on one stream."""
        return await handle(self._ledgers, stream, command, context, if_match)

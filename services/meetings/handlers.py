"""Read, fold, decide, append."""

from __future__ import annotations

from shared.aggregates import Command, Context
from shared.event_store import Commit
from shared.handling import Ledgers, handle
from shared.rejections import Rejection


class Handlers:
    """Carries out this service's commands on its own store and on what it has heard."""

    def __init__(self, ledgers: Ledgers) -> None:
        self._ledgers = ledgers

    async def __call__(
        self, stream: str, command: Command, context: Context, if_match: int | None = None
    ) -> Commit | Rejection:
        """Carry out a command on one stream."""
        return await handle(self._ledgers, stream, command, context, if_match)

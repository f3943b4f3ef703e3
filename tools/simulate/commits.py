"""Simulated commits: the result of a command as its service would store it, and the command itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bson.binary import Binary

from shared.domain.aggregate import Command, Context
from shared.store.command_handler import digest_of


@dataclass(frozen=True, slots=True)
class SimulatedCommit:
    """A commit of one service: a stream's events from a version on, and their command."""

    service: str
    stream: str
    first: int
    raws: tuple[bytes, ...]
    command: Command
    context: Context

    @property
    def last(self) -> int:
        """The version of the last event."""
        return self.first + len(self.raws) - 1

    def document(self) -> dict[str, Any]:
        """Return the commit document, as shared/store/event_store.py stores it."""
        return {
            "_id": {"s": self.stream, "v": self.first},
            "last": self.last,
            "command_id": self.context.command_id,
            "command_digest": digest_of(self.stream, self.command),
            "actor": self.context.actor,
            "events": [Binary(raw) for raw in self.raws],
        }

"""Simulated commits: the result of a command as its service would store it, and the command itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.domain.aggregate import Command, Context
from shared.store.command_handler import digest_of
from shared.store.commits import commit_document


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
        """Return the commit document."""
        return commit_document(
            self.stream,
            self.first,
            self.raws,
            command_id=self.context.command_id,
            actor=self.context.actor,
            command_digest=digest_of(self.stream, self.command),
        )

"""Acknowledgements to the clients, and their errors: the client side of the comparison."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Acknowledgement:
    """A service's answer that it executed a command."""

    service: str
    command_id: str
    stream: str
    version: int
    events: tuple[str, ...]
    replayed: bool = False


@dataclass
class Acknowledged:
    """The answers to all clients, in the rig's memory, out of the platform's reach. Thread-safe."""

    commands: list[Acknowledgement] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    retries: int = 0
    slowest: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, given: Acknowledgement, retries: int, seconds: float) -> None:
        """Record an acknowledgement, and the retries and seconds that it took."""
        with self._lock:
            self.commands.append(given)
            self.retries += retries
            self.slowest = max(self.slowest, seconds)

    def note_refusal(self, refusal: str) -> None:
        """Record the refusal of a valid command."""
        with self._lock:
            self.refused.append(refusal)

    def note_silence(self, command: str) -> None:
        """Record a command that was retried and never answered."""
        with self._lock:
            self.unanswered.append(command)

"""Acknowledgements to clients, and errors on their side: one half of the reckoning."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Acknowledgement:
    """A command that a service said it had carried out."""

    service: str
    command_id: str
    stream: str
    version: int
    events: tuple[str, ...]
    replayed: bool = False


@dataclass
class Acknowledged:
    """Kept by the rig, out of the platform's reach. Several clients write to it at once."""

    commands: list[Acknowledgement] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    retries: int = 0
    slowest: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, given: Acknowledgement, retries: int, seconds: float) -> None:
        """Keep an acknowledgement, and how hard it was to get."""
        with self._lock:
            self.commands.append(given)
            self.retries += retries
            self.slowest = max(self.slowest, seconds)

    def note_refusal(self, what: str) -> None:
        """Keep a refusal of what was in order."""
        with self._lock:
            self.refused.append(what)

    def note_silence(self, what: str) -> None:
        """Keep a command that was sent again and again, and never answered for good."""
        with self._lock:
            self.unanswered.append(what)

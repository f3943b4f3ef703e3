"""Ids on record that the clients share, to refer to and to contend for."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

COMMITTEE, YEAR = "RIG", 2031
SESSIONS = (901, 902, 903)
KEPT = 200


@dataclass
class Known:
    """Ids of one kind that may be named; several threads add and take."""

    _ids: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, key: str) -> None:
        """Let others know; the oldest are forgotten."""
        with self._lock:
            self._ids.append(key)
            del self._ids[:-KEPT]

    def take(self, chance: random.Random) -> str | None:
        """Take one for oneself, so that nobody else names it any more."""
        with self._lock:
            return self._ids.pop(chance.randrange(len(self._ids))) if self._ids else None

    def some(self, chance: random.Random, most: int) -> list[str]:
        """Name a few."""
        with self._lock:
            return chance.sample(self._ids, min(most, len(self._ids)))


@dataclass
class World:
    """The ids on record that the clients know."""

    run: str
    memberships: Known = field(default_factory=Known)
    meetings: Known = field(default_factory=Known)
    provisions: Known = field(default_factory=Known)
    priorities: Known = field(default_factory=Known)
    recommendations: Known = field(default_factory=Known)
    subscriptions: Known = field(default_factory=Known)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def number(self) -> int:
        """Return a number that nobody else has."""
        return next(self._numbers)

    def key(self, kind: str) -> str:
        """Return a new id."""
        return f"{kind}-{self.run}-{self.number()}"

    def reference(self) -> str:
        """Return a new recommendation's reference."""
        return f"{COMMITTEE}/{YEAR}/R{self.number()}"

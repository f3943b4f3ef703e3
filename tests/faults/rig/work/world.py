"""Recorded ids that the clients share, to name and to contend for."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

COMMITTEE, YEAR = "RIG", 2031
SESSIONS = (901, 902, 903)
MOST_IDS = 200


@dataclass
class Known:
    """Ids of one kind that a story may name. Thread-safe."""

    _ids: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, key: str) -> None:
        """Share an id; of more than `MOST_IDS`, forget the oldest."""
        with self._lock:
            self._ids.append(key)
            del self._ids[:-MOST_IDS]

    def take(self, chance: random.Random) -> str | None:
        """Remove a random id, so that no other client names it any more, and return it."""
        with self._lock:
            return self._ids.pop(chance.randrange(len(self._ids))) if self._ids else None

    def some(self, chance: random.Random, most: int) -> list[str]:
        """Return a few random ids."""
        with self._lock:
            return chance.sample(self._ids, min(most, len(self._ids)))


@dataclass
class World:
    """The recorded ids by kind, and a generator of new ones."""

    run: str
    older: set[str] = field(default_factory=set)
    """Services of which an instance runs that takes only the commands of an earlier version."""
    memberships: Known = field(default_factory=Known)
    meetings: Known = field(default_factory=Known)
    provisions: Known = field(default_factory=Known)
    priorities: Known = field(default_factory=Known)
    recommendations: Known = field(default_factory=Known)
    subscriptions: Known = field(default_factory=Known)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def number(self) -> int:
        """Return the next number, unique in this run."""
        return next(self._numbers)

    def key(self, kind: str) -> str:
        """Return a new id."""
        return f"{kind}-{self.run}-{self.number()}"

    def reference(self) -> str:
        """Return a new recommendation's reference."""
        return f"{COMMITTEE}/{YEAR}/R{self.number()}"

"""Seeded random draws, and the ids and times derived from them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
YEAR = 365 * DAY + 6 * HOUR


class Chance:
    """A random generator seeded by a number and a purpose."""

    def __init__(self, seed: int, purpose: str) -> None:
        self._random = random.Random(f"throughline:{seed}:{purpose}")  # noqa: S311
        self._draw = self._random.random

    def happens(self, share: float) -> bool:
        """Return True with the probability `share`."""
        return self._draw() < share

    def between(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        return low + int(self._draw() * (high - low + 1))

    def pick(self, items: Sequence[T]) -> T:
        """Return a random item."""
        return items[int(self._draw() * len(items))]

    def some(self, items: Sequence[T], count: int) -> list[T]:
        """Return `count` distinct items (all, if there are fewer) in random order."""
        remaining = list(items)
        drawn = []
        for _ in range(min(count, len(remaining))):
            index = int(self._draw() * len(remaining))
            remaining[index], remaining[-1] = remaining[-1], remaining[index]
            drawn.append(remaining.pop())
        return drawn

    def event_id(self, at: int) -> str:
        """Return an id in the form of a UUIDv7 of that millisecond."""
        bits = self._random.getrandbits(74)
        text = f"{at:012x}7{bits >> 62:03x}{0x8000000000000000 | bits & 0x3FFFFFFFFFFFFFFF:016x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def hexadecimal(self, digits: int) -> str:
        """Return random hexadecimal digits."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"


def on(year: int, month: int = 1, day: int = 1) -> int:
    """Return the first millisecond of a day since 1970, UTC."""
    return (date(year, month, day) - _EPOCH.date()).days * DAY


def moment(at: int) -> datetime:
    """Return the datetime of a millisecond."""
    return _EPOCH + timedelta(milliseconds=at)


@lru_cache(maxsize=4_096)
def _day(number: int) -> str:
    return (_EPOCH + timedelta(days=number)).date().isoformat()


def day(at: int) -> str:
    """Return the ISO 8601 date of a millisecond."""
    return _day(at // DAY)

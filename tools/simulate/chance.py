"""Chance with a seed, and ids and times that come from nowhere else."""

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
    """Draws that depend on a seed and on what they are for."""

    def __init__(self, seed: int, purpose: str) -> None:
        self._random = random.Random(f"throughline:{seed}:{purpose}")  # noqa: S311
        self._draw = self._random.random

    def happens(self, share: float) -> bool:
        """Tell whether something that happens in this share of all cases happens now."""
        return self._draw() < share

    def between(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        return low + int(self._draw() * (high - low + 1))

    def pick(self, items: Sequence[T]) -> T:
        """Return one of them."""
        return items[int(self._draw() * len(items))]

    def some(self, items: Sequence[T], count: int) -> list[T]:
        """Return so many of them (all, where there are fewer), each once, in any order."""
        left = list(items)
        drawn = []
        for _ in range(min(count, len(left))):
            index = int(self._draw() * len(left))
            left[index], left[-1] = left[-1], left[index]
            drawn.append(left.pop())
        return drawn

    def event_id(self, at: int) -> str:
        """Return an id in the form of a UUIDv7 of that millisecond."""
        drawn = self._random.getrandbits(74)
        text = f"{at:012x}7{drawn >> 62:03x}{0x8000000000000000 | drawn & 0x3FFFFFFFFFFFFFFF:016x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def hexadecimal(self, digits: int) -> str:
        """Return so many hexadecimal digits."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"


def on(year: int, month: int = 1, day: int = 1) -> int:
    """Return the first millisecond of a day, counted as events' times are: from 1970, UTC."""
    return (date(year, month, day) - _EPOCH.date()).days * DAY


def moment(at: int) -> datetime:
    """Return the time of a millisecond."""
    return _EPOCH + timedelta(milliseconds=at)


@lru_cache(maxsize=4_096)
def _day(number: int) -> str:
    return (_EPOCH + timedelta(days=number)).date().isoformat()


def day(at: int) -> str:
    """Return the day of a millisecond, as dates in the world are written."""
    return _day(at // DAY)

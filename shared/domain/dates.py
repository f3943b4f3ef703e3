"""Dates of the record, known in full or in part, as a reader writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# written out: the names in `calendar` follow the locale of the machine, and gaps are compared byte for byte
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def in_words(on: str | None) -> str:
    """Format a date for a reader: `27 May 2022`, `September 2023`, `2024`, `an unknown date`."""
    if on is None:
        return "an unknown date"
    year, *rest = on[:10].split("-")
    month = [_MONTHS[int(rest[0]) - 1]] if rest else []
    day = [str(int(rest[1]))] if len(rest) > 1 else []
    return " ".join([*day, *month, year])


_DATES = ("on", "adopted_on", "starts_on", "starts_at", "year")


def day_in_the_world(data: Mapping[str, Any]) -> str | None:
    """Return the date in the world of an event's data, as far as it is known."""
    date = next((data[name] for name in _DATES if data.get(name)), None)
    return str(date)[:10] if date else None

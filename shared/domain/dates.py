"""Dates of the record, known in full or in part, as a reader writes them."""

from __future__ import annotations

import calendar

_MONTHS = tuple(calendar.month_name)[1:]


def in_words(on: str | None) -> str:
    """Format a date for a reader: `27 May 2022`, `September 2023`, `2024`, `an unknown date`."""
    if on is None:
        return "an unknown date"
    year, *rest = on[:10].split("-")
    month = [_MONTHS[int(rest[0]) - 1]] if rest else []
    day = [str(int(rest[1]))] if len(rest) > 1 else []
    return " ".join([*day, *month, year])

"""Dates of the record, known in full or in part, as a reader writes them."""

from __future__ import annotations

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

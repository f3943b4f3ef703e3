"""Meetings in a calendar: the days of a month, and one meeting as an iCalendar file (RFC 5545)."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.events.values import earliest_day, latest_day

DAY = "2026-11-28"
LINE = 73  # octets of a line before it is folded
_STATUS = {"proposed": "TENTATIVE", "convened": "CONFIRMED", "held": "CONFIRMED", "recorded": "CONFIRMED"}


def weeks_of(year: int, month: int, meetings: Iterable[Mapping[str, Any]]) -> list[list[tuple[date, list[Any]]]]:
    """Return the weeks of a month from Monday, each day with its meetings; one of no known day is left out."""
    by_day: dict[date, list[Any]] = {}
    for item in meetings:
        for day in days_of(item["state"]):
            by_day.setdefault(day, []).append(item)
    weeks = calendar.Calendar().monthdatescalendar(year, month)
    return [[(day, by_day.get(day, [])) for day in week] for week in weeks]


def days_of(state: Mapping[str, Any]) -> list[date]:
    """Return the days of a meeting, on its own clock; none where the day is not known."""
    begins, ends = times_of(state)
    if len(begins) < len(DAY):
        return []
    first = earliest_day(begins)
    last = max(first, latest_day(ends))
    return [first + timedelta(days=each) for each in range(min((last - first).days + 1, 31))]


def times_of(state: Mapping[str, Any]) -> tuple[str, str]:
    """Return from when to when a meeting was held, or else is to be held; blank where no time is on record."""
    held, announced = state.get("held", {}), state.get("particulars", {})
    begins = held.get("held_from") or announced.get("starts_at") or ""
    return begins, held.get("held_to") or announced.get("ends_at") or begins


def icalendar(key: str, state: Mapping[str, Any], address: str, now: datetime) -> str:
    """Return a meeting that has a time as an iCalendar file: in UTC where its times are known, else on its days."""
    particulars = state["particulars"]
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Throughline//Console//EN",
        "BEGIN:VEVENT",
        f"UID:{key}@throughline",
        f"DTSTAMP:{_stamp(now.astimezone(UTC))}",
        *_lines_of(*times_of(state)),
        f"SUMMARY:{_text(particulars['title'])}",
        f"STATUS:{_STATUS.get(state['stage'], 'CANCELLED')}",
        f"URL:{address}",
        *([f"LOCATION:{_text(particulars['place'])}"] if particulars.get("place") else []),
        *([f"DESCRIPTION:{_text(particulars['link'])}"] if particulars.get("link") else []),
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _lines_of(begins: str, ends: str) -> list[str]:
    """Return the start, and the end where it is later: RFC 5545 allows no other (3.8.2.2)."""
    if start := _utc(begins):
        return [f"DTSTART:{start}", *([f"DTEND:{end}"] if (end := _utc(ends)) > start else [])]
    last = latest_day(ends)
    after = [last + timedelta(days=1)] if last < date.max else []
    return [
        f"DTSTART;VALUE=DATE:{_digits(earliest_day(begins))}",
        *(f"DTEND;VALUE=DATE:{_digits(day)}" for day in after),
    ]


def _utc(text: str) -> str:
    """Return a time in UTC; blank for a date, and for a time whose day in UTC has no date."""
    try:
        return _stamp(datetime.fromisoformat(text).astimezone(UTC)) if len(text) > len(DAY) else ""
    except OverflowError:
        return ""


def _stamp(moment: datetime) -> str:
    return f"{_digits(moment)}T{moment:%H%M%S}Z"


def _digits(day: date) -> str:
    return f"{day.year:04}{day.month:02}{day.day:02}"


def _text(value: str) -> str:
    """Escape a text: it is data, and never another line of the file."""
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")


def _folded(line: str) -> str:
    """Fold a line after 75 octets at most, between characters."""
    pieces, piece = [], b""
    for character in line:
        encoded = character.encode()
        if len(piece) + len(encoded) > LINE:
            pieces.append(piece.decode())
            piece = b""
        piece += encoded
    return "\r\n ".join([*pieces, piece.decode()])

"""Meetings in a calendar: the days of a month, and one meeting as an iCalendar file (RFC 5545)."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.events.values import earliest_day, latest_day

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
    particulars = state.get("particulars", {})
    begins, ends = particulars.get("starts_at"), particulars.get("ends_at") or particulars.get("starts_at")
    if not begins or len(begins) < len("2026-11-28"):
        return []
    first = earliest_day(begins)
    last = max(first, latest_day(ends))
    return [first + timedelta(days=each) for each in range(min((last - first).days + 1, 31))]


def icalendar(key: str, state: Mapping[str, Any], address: str, now: datetime) -> str:
    """Return a meeting as an iCalendar file: in UTC where its times are known, else on its days."""
    particulars = state["particulars"]
    begins, ends = particulars["starts_at"], particulars.get("ends_at") or particulars["starts_at"]
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Throughline//Console//EN",
        "BEGIN:VEVENT",
        f"UID:{key}@throughline",
        f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        *_times(begins, ends),
        f"SUMMARY:{_text(particulars['title'])}",
        f"STATUS:{_STATUS.get(state['stage'], 'CANCELLED')}",
        f"URL:{address}",
        *([f"LOCATION:{_text(particulars['place'])}"] if particulars.get("place") else []),
        *([f"DESCRIPTION:{_text(particulars['link'])}"] if particulars.get("link") else []),
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _times(begins: str, ends: str) -> list[str]:
    if len(begins) > len("2026-11-28"):
        last = ends if len(ends) > len("2026-11-28") else begins
        return [f"DTSTART:{_utc(begins)}", f"DTEND:{_utc(last)}"]
    after = latest_day(ends) + timedelta(days=1)
    return [f"DTSTART;VALUE=DATE:{earliest_day(begins):%Y%m%d}", f"DTEND;VALUE=DATE:{after:%Y%m%d}"]


def _utc(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y%m%dT%H%M%SZ}"


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

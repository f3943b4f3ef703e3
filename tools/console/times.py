"""Dates and times as a person reads them: in words, by language, in the person's own time zone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from babel.dates import format_date, format_datetime, format_skeleton
from starlette.requests import Request

from tools.console import languages
from tools.console.languages import _

ZONE = "Asia/Bangkok"
_zone: ContextVar[str] = ContextVar("zone", default=ZONE)


@lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    """Return the names of all time zones, in order."""
    return tuple(sorted(name for name in available_timezones() if "/" in name or name == "UTC"))


def zone_of(request: Request) -> str:
    """Return the time zone that a person set, or else the console's."""
    own = request.cookies.get("zone")
    return own if own in zones() else str(request.app.state.settings.time_zone)


@contextmanager
def zoned(name: str) -> Iterator[None]:
    """Show times in a zone for a while."""
    token = _zone.set(name)
    try:
        yield
    finally:
        _zone.reset(token)


def day(text: str | None) -> str:
    """Format a date known in full or in part: `27 May 2022`, `September 2023`, `2024`; a time by its own local day."""
    if not text:
        return _("date unknown")
    return _day(text, languages.language())


@lru_cache(maxsize=4_000)
def _day(text: str, _language: str) -> str:
    """Format a date in the language of the request, by which it is cached."""
    parts = [int(part) for part in text[:10].split("-")]
    known = date(*[*parts, 1, 1][:3])
    locale = languages.locale()
    match len(parts):
        case 1:
            return format_skeleton("y", known, locale=locale)
        case 2:
            return format_skeleton("yMMMM", known, locale=locale)
        case _:
            return format_date(known, "long", locale=locale)


def when(text: str | None, zone: str | None = None) -> str:
    """Format a time in a zone, by default the reader's, with the zone's name."""
    if not text:
        return _("time unknown")
    if len(text) <= 10:
        return day(text)
    return _when(text, zone or _zone.get(), languages.language())


@lru_cache(maxsize=4_000)
def _when(text: str, name: str, _language: str) -> str:
    """Format a time in the language of the request, by which it is cached."""
    local = datetime.fromisoformat(text)
    try:
        local = local.astimezone(ZoneInfo(name))
    except OverflowError:  # on the first or last day of all dates, which is no day in the other zone
        name = str(local.tzinfo)
    return f"{format_datetime(local, 'd MMMM y, HH:mm', locale=languages.locale())} ({name})"


def reader_zone() -> str:
    """Return the reader's zone."""
    return _zone.get()


def today() -> date:
    """Return today in the reader's zone."""
    return datetime.now(UTC).astimezone(ZoneInfo(_zone.get())).date()

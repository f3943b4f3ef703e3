"""Checks of single facts, on commands and on new corrections: dates in order, nothing in the future, members.

What was once recorded is never judged again: no event model and no fold asks here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, ClassVar, get_args, get_type_hints

from shared.domain.members import MEMBERS
from shared.domain.rejections import Rejection, UnknownReference
from shared.events.event import Event
from shared.events.meetings import MeetingProposed, MeetingRescheduled
from shared.events.recommendations import BodySessionRecorded, CommitteeSessionRecorded, DeliverableRecorded
from shared.events.values import Member, WorldDate, WorldTime, earliest_day, latest_day

_SPANS = (
    ("starts_at", "ends_at"),
    ("starts_on", "ends_on"),
    ("held_from", "held_to"),
    ("opened_on", "closes_on"),
    ("timeline_from", "timeline_to"),
)
_PLANS = frozenset({"due", "closes_on", "timeline_from", "timeline_to"})
_PLANNED = (MeetingProposed, MeetingRescheduled, CommitteeSessionRecorded, BodySessionRecorded)


@dataclass(frozen=True)
class FactRefused(Rejection):
    """A fact that cannot be, whatever is on record; `field` names where it was written."""

    field: str


@dataclass(frozen=True)
class EndsBeforeItStarts(FactRefused):
    """Nothing ends before it starts."""

    says: ClassVar[str] = "{field} {ends} is before {start_field} {starts}: correct the one that is wrong"

    ends: str
    start_field: str
    starts: str


@dataclass(frozen=True)
class FactLiesInTheFuture(FactRefused):
    """A fact is recorded once it has happened."""

    says: ClassVar[str] = (
        "{field} {on} lies in the future: a fact is dated {latest} at the latest, the day after today in UTC; "
        "correct the date, or record the fact once it has happened"
    )

    on: str
    latest: str


@dataclass(frozen=True)
class NamesNoMember(FactRefused, UnknownReference):
    """All members and associate members of ESCAP take part, and nobody else does as one."""

    says: ClassVar[str] = (
        "{field} {member} is neither a member nor an associate member of ESCAP: give the ISO 3166-1 alpha-3 code"
    )

    member: str


def refusal_of_fact(event: Event, now: datetime) -> Rejection | None:
    """Return the refusal of an event whose own data cannot be true at this time, or None."""
    return _no_member(event) or _ends_too_early(event) or _in_the_future(event, now)


def last_day_of_facts(now: datetime) -> date:
    """Return the last day that a fact recorded now may have: the day after, in UTC, for the sake of time zones."""
    return now.astimezone(UTC).date() + timedelta(days=1)


def is_before(earlier: str, later: str) -> bool:
    """Tell whether a date or time lies wholly before another; two times are compared as instants."""
    if "T" in earlier and "T" in later:
        return datetime.fromisoformat(earlier) < datetime.fromisoformat(later)
    return latest_day(earlier) < earliest_day(later)


def _no_member(event: Event) -> Rejection | None:
    members = {name: getattr(event, name) for name in _fields_of(type(event), Member)}
    return next((NamesNoMember(name, member) for name, member in members.items() if member not in MEMBERS), None)


def _ends_too_early(event: Event) -> Rejection | None:
    for start_field, field in _SPANS:
        starts, ends = getattr(event, start_field, None), getattr(event, field, None)
        if starts and ends and is_before(ends, starts):
            return EndsBeforeItStarts(field, ends, start_field, starts)
    return None


def _in_the_future(event: Event, now: datetime) -> Rejection | None:
    if isinstance(event, _PLANNED) or _is_budgeted(event):
        return None
    latest = last_day_of_facts(now)
    for name in _fields_of(type(event), WorldDate, WorldTime):
        on = getattr(event, name)
        if on and name not in _PLANS and earliest_day(on) > latest:
            return FactLiesInTheFuture(name, on, latest.isoformat())
    return None


def _is_budgeted(event: Event) -> bool:
    return isinstance(event, DeliverableRecorded) and event.actual_three_hour_meetings is None


@cache
def _fields_of(event: type[Event], *values: Any) -> tuple[str, ...]:
    """Return the fields of an event that hold one of these types of value, optional or not."""
    hints = get_type_hints(event, include_extras=True)
    return tuple(name for name, hint in hints.items() if any(each in values for each in (hint, *get_args(hint))))

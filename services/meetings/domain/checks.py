"""Checks of a meeting's facts: time zones by name and offset, and nothing that takes place before the meeting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from services.meetings.domain.rules import (
    AgendaItemNotOnRecord,
    AgendaOrderNamesEachItemOnce,
    BeginsAfterItsEnd,
    ConfirmationsStayWhileConvened,
    MeetingHasNotBegun,
    TimeZoneDoesNotFit,
    UnknownTimeZone,
)
from services.meetings.domain.states import Absent, Convened, Held, Meeting
from shared.domain.rejections import Rejection
from shared.domain.single_facts import EndsBeforeItStarts, is_before, last_day_of_facts
from shared.domain.voids import Once, Void, recorded_anew
from shared.events.event import Event
from shared.events.meetings import AgendaItemAdded, AgendaOrdered, AttendanceRecorded, MeetingHeld
from shared.events.values import earliest_day
from shared.events.wording import nearest
from shared.events.words import Confirmer, words

_TIMES = ("starts_at", "ends_at", "held_from", "held_to")
_IDS = {
    "agenda": "item",
    "documents": "document",
    "attendance": "membership",
    "outcomes": "outcome",
    "closed": "outcome",
}
# the package `tzdata`, pinned with the code: the zones of the machine may be older, newer, or missing
_ZONES = files("tzdata")


def check(state: Meeting, event: Event, *, stream: str, now: datetime, **_: object) -> Rejection | None:
    """Return the refusal of a fact that does not fit the time zone or agenda, or comes before the first day."""
    refusal = _wrong_zone(state, event) or _wrong_place(state, event)
    return refusal or _ends_too_early(state, event) or _too_early(state, event, stream, now)


def judge_void(
    before: Meeting, after: Meeting, then: Mapping[int, Meeting], _version: int, stream: str
) -> Rejection | None:
    """Refuse a void by which a meeting would be convened with a confirmation less, or have an entry twice."""
    lacking = _lacking(after)
    if not lacking or (type(after) is type(before) and lacking == _lacking(before)):
        return recorded_anew(_once(before), _once(after), then, stream)
    return ConfirmationsStayWhileConvened(stream, after.stage, " and ".join(lacking))


def _once(state: Meeting) -> list[Once]:
    """Return the entries of a meeting, each with the id that it may have once."""
    if isinstance(state, Absent | Void):
        return []
    return [
        ((section, getattr(entry.fact, key)), entry.versions[0])
        for section, key in _IDS.items()
        for entry in getattr(state.proceedings, section)
    ]


def _lacking(state: Meeting) -> list[str]:
    """Return those whose confirmation a meeting that is convened or held lacks."""
    if not isinstance(state, Convened | Held):
        return []
    return [each for each in words(Confirmer) if each not in state.confirmed_by]


def _wrong_place(state: Meeting, event: Event) -> Rejection | None:
    """Refuse an item before one that is not on the agenda, and an order that does not name each item once."""
    items = () if isinstance(state, Absent | Void) else state.proceedings.items
    match event:
        case AgendaItemAdded(before=str(before)) if before not in items:
            return AgendaItemNotOnRecord("before", before)
        case AgendaOrdered(items=order):
            fault = _fault_of_order(order, items)
            return AgendaOrderNamesEachItemOnce("items", fault, ", ".join(items) or "none") if fault else None
        case _:
            return None


def _fault_of_order(order: Sequence[str], items: Sequence[str]) -> str | None:
    for item in order:
        if item not in items:
            return f"names {item}, which is not on the agenda"
        if order.count(item) > 1:
            return f"names {item} twice"
    return next((f"leaves {item} out" for item in items if item not in order), None)


def _wrong_zone(state: Meeting, event: Event) -> Rejection | None:
    given = getattr(event, "time_zone", None)
    name = given or (None if isinstance(state, Absent | Void) else state.particulars.time_zone)
    if name is None:
        return None
    if name not in _names():
        return _unknown(name) if given else None
    times = {field: getattr(event, field, None) for field in _TIMES}
    wrong = ((field, time, _local(time, name)) for field, time in times.items() if time and "T" in time)
    return next((TimeZoneDoesNotFit(field, time, name, local) for field, time, local in wrong if local), None)


def _unknown(name: str) -> UnknownTimeZone:
    close = nearest(name, _names())
    return UnknownTimeZone("time_zone", name, f"did you mean {close}?" if close else "as in Asia/Bangkok")


def _local(time: str, name: str) -> str | None:
    """Return a time as it is written in a zone, where it has another offset there."""
    moment = datetime.fromisoformat(time)
    try:
        local = moment.astimezone(_zone(name))
    except OverflowError:
        return None
    return None if local.utcoffset() == moment.utcoffset() else local.isoformat()


@cache
def _names() -> frozenset[str]:
    return frozenset(_ZONES.joinpath("zones").read_text(encoding="utf-8").split())


@cache
def _zone(name: str) -> ZoneInfo:
    with _ZONES.joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def _ends_too_early(state: Meeting, event: Event) -> Rejection | None:
    """Refuse a meeting held until before its start, or from after its end, where the other one is as announced."""
    if not isinstance(event, MeetingHeld) or isinstance(state, Absent | Void):
        return None
    announced = state.particulars
    starts, ends = event.held_from or announced.starts_at, event.held_to or announced.ends_at
    if starts is None or ends is None or not is_before(ends, starts):
        return None
    if event.held_to:
        return None if event.held_from else EndsBeforeItStarts("held_to", ends, "starts_at", starts)
    return BeginsAfterItsEnd("held_from", starts, ends) if event.held_from else None


def _too_early(state: Meeting, event: Event, stream: str, now: datetime) -> Rejection | None:
    """Refuse what takes place at a meeting, and takes its date, before the meeting can have begun."""
    takes_date = isinstance(event, AttendanceRecorded) or (isinstance(event, MeetingHeld) and event.held_from is None)
    if not takes_date or not isinstance(state, Convened) or state.particulars.starts_at is None:
        return None
    starts_at, latest = state.particulars.starts_at, last_day_of_facts(now)
    return MeetingHasNotBegun(stream, starts_at) if earliest_day(starts_at) > latest else None

"""The rules of meetings, each a refusal with a sentence for a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shared.domain.rejections import Rejection, StateConflict, UnknownReference
from shared.domain.single_facts import FactRefused


@dataclass(frozen=True)
class TwoConfirmationsConveneAMeeting(Rejection):
    """A proposed meeting is convened once chair and secretariat have both confirmed it; only then can it be held."""

    says: ClassVar[str] = "{stream} is not convened: it still waits for confirmation by {waits_for}"

    stream: str
    waits_for: str


@dataclass(frozen=True)
class ConfirmationsStayWhileConvened(StateConflict):
    """A meeting that is convened or held keeps both confirmations: a void takes none away."""

    says: ClassVar[str] = (
        "{stream} would be {state} without confirmation by {lacks}: void first what makes it {state} "
        "(`throughline void {stream} VERSION`), or leave that void and `confirm` the meeting anew"
    )

    stream: str
    state: str
    lacks: str


@dataclass(frozen=True)
class AgendaItemNamesUnknownProvision(UnknownReference):
    """An agenda item names provisions that are in the register."""

    says: ClassVar[str] = "instrument/{instrument} has no provision {provision} in the register: register it first"

    instrument: str
    provision: str


@dataclass(frozen=True)
class AgendaItemNotOnRecord(FactRefused, UnknownReference):
    """An item is put before another one that is on the agenda."""

    says: ClassVar[str] = "{field} {item} is not on the agenda: name one that is, or leave {field} out"

    item: str


@dataclass(frozen=True)
class AgendaOrderNamesEachItemOnce(FactRefused):
    """An order of the agenda names each of its items once, and nothing else."""

    says: ClassVar[str] = "{field} {fault}: name each item of the agenda once, in the new order: {items}"

    fault: str
    items: str


@dataclass(frozen=True)
class AgendaOrderStandsOnceHeld(StateConflict):
    """The agenda of a meeting that was held stays in the order of that day."""

    says: ClassVar[str] = (
        "{stream} was held with its agenda in this order: void a wrong order (`throughline void {stream} VERSION`); "
        "an item that was left out is added with `before`"
    )

    stream: str


@dataclass(frozen=True)
class ActionPointNotOnRecord(UnknownReference):
    """An action point that is closed is an outcome on record, of that kind."""

    says: ClassVar[str] = "{stream} has no action point {outcome} on record: record the outcome first, or check its id"

    stream: str
    outcome: str


@dataclass(frozen=True)
class AttendanceListedTwice(FactRefused):
    """A list of attendance names each membership once."""

    says: ClassVar[str] = "{field} {membership} is in the list twice: leave one of the rows out"

    membership: str


@dataclass(frozen=True)
class AttendanceOnRecord(FactRefused, StateConflict):
    """A membership attends a meeting once, whether in a list or alone."""

    says: ClassVar[str] = (
        "{field} {membership} attended {stream} already: leave the row out, or correct what is on record"
    )

    membership: str
    stream: str


@dataclass(frozen=True)
class UnknownTimeZone(FactRefused):
    """A time zone is named as in the IANA time zone database."""

    says: ClassVar[str] = "{field} {name} is no name of the IANA time zone database: {hint}"

    name: str
    hint: str


@dataclass(frozen=True)
class TimeZoneDoesNotFit(FactRefused):
    """A time has the offset of the meeting's time zone."""

    says: ClassVar[str] = (
        "{field} {time} has not the offset of {zone}, where that moment is {local}: write it so, or correct the zone"
    )

    time: str
    zone: str
    local: str


@dataclass(frozen=True)
class MeetingHasNotBegun(StateConflict):
    """A meeting is held and attended once it has begun."""

    says: ClassVar[str] = (
        "{stream} begins on {starts_at}, which has not come: record it then, or reschedule the meeting"
    )

    stream: str
    starts_at: str


@dataclass(frozen=True)
class BeginsAfterItsEnd(FactRefused):
    """A meeting begins before the end that it was announced with, unless its new end is given."""

    says: ClassVar[str] = (
        "{field} {starts} is after ends_at {ends}: give `held_to` too where it was held later, or correct {field}"
    )

    starts: str
    ends: str

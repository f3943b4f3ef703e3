"""The rules of meetings, each a refusal with a sentence for a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shared.domain.rejections import Rejection, RuleKind
from shared.domain.single_facts import FactRefused


@dataclass(frozen=True)
class TwoConfirmationsConveneAMeeting(Rejection):
    """A proposed meeting is convened once chair and secretariat have both confirmed it; only then can it be held."""

    kind: ClassVar[RuleKind] = "house rule"
    says: ClassVar[str] = "{stream} is not convened: it still waits for confirmation by {waits_for}"

    stream: str
    waits_for: str


@dataclass(frozen=True)
class ConfirmationsStayWhileConvened(Rejection):
    """A meeting that is convened or held keeps both confirmations: a void takes none away."""

    kind: ClassVar[RuleKind] = "order"
    http_status: ClassVar[int] = 409
    says: ClassVar[str] = (
        "{stream} would be {state} without confirmation by {lacks}: void first what makes it {state} "
        "(`throughline void {stream} VERSION`), or leave that void and `confirm` the meeting anew"
    )

    stream: str
    state: str
    lacks: str


@dataclass(frozen=True)
class AgendaItemNamesUnknownProvision(Rejection):
    """An agenda item names provisions that are in the register."""

    kind: ClassVar[RuleKind] = "reference"
    says: ClassVar[str] = "instrument/{instrument} has no provision {provision} in the register: register it first"

    instrument: str
    provision: str


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
class MeetingHasNotBegun(Rejection):
    """A meeting is held and attended once it has begun."""

    kind: ClassVar[RuleKind] = "order"
    http_status: ClassVar[int] = 409
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

"""The rules of corrections and voids, each a rejection whose name is a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shared.domain.rejections import Rejection, StateConflict, UnknownReference


@dataclass(frozen=True)
class NamesVoid(UnknownReference):
    """A command names a record that is void."""

    says: ClassVar[str] = "{stream} is void: name another record, or void its void first"

    stream: str


@dataclass(frozen=True)
class VersionIsVoid(StateConflict):
    """An event that is void is neither corrected nor voided again."""

    says: ClassVar[str] = (
        "version {version} of {stream} is void by version {void}: to let it hold again, void version {void}"
    )

    stream: str
    version: int
    void: int


@dataclass(frozen=True)
class RecordIsVoid(StateConflict):
    """In a void record nothing is voided but the void that makes it so."""

    says: ClassVar[str] = (
        "{stream} is void by version {void}, and nothing else in it is voided: to let it hold again, void that one "
        "(`throughline void {stream} {void}`), then void version {version}"
    )

    stream: str
    version: int
    void: int


@dataclass(frozen=True)
class RecordedAnew(StateConflict):
    """An event does not hold again beside one that records the same anew."""

    says: ClassVar[str] = (
        "version {version} of {stream} would hold again beside version {other}, which records the same: void that one "
        "first (`throughline void {stream} {other}`), or leave version {version} as it is"
    )

    stream: str
    version: int
    other: int


@dataclass(frozen=True)
class VoidsNoEvent(Rejection):
    """A void names an earlier event of its stream."""

    says: ClassVar[str] = "{stream} has no version {version} that can be voided: look its versions up"

    stream: str
    version: int


@dataclass(frozen=True)
class CannotBeVoided(Rejection):
    """An erasure and the attempts and answers of a mail happened, whatever the record says."""

    says: ClassVar[str] = (
        "version {version} of {stream} is {event}, which happened and cannot be taken back: correct what it says"
    )

    stream: str
    version: int
    event: str


@dataclass(frozen=True)
class RecordedByPolicy(Rejection):
    """An event that a policy recorded follows from another event, and is void with it."""

    says: ClassVar[str] = (
        "version {version} of {stream} follows from the event {cause}: void that one, and this one is voided with it"
    )

    stream: str
    version: int
    cause: str


@dataclass(frozen=True)
class HasConsequences(StateConflict):
    """A consequence of a void event stays on record where later events rest on it."""

    says: ClassVar[str] = "version {version} of {stream} stays on record: version {later} rests on it"

    stream: str
    version: int
    later: int


@dataclass(frozen=True)
class CorrectsNoOriginal(Rejection):
    """A correction names an original event of its stream, never another correction."""

    says: ClassVar[str] = "version {version} of {stream} is not an original event that can be corrected"

    stream: str
    version: int


@dataclass(frozen=True)
class CorrectionChangesIdentity(Rejection):
    """A correction may not change ids, nor the records that the event names."""

    says: ClassVar[str] = (
        "a correction may not change {field}, an id or what names another record: void version {version} of {stream} "
        "(`throughline void {stream} {version}`) and record it anew"
    )

    field: str
    stream: str
    version: int


@dataclass(frozen=True)
class CorrectionBreaksSchema(Rejection):
    """The corrected data does not fit the event's schema."""

    says: ClassVar[str] = "the corrected data does not fit {event}: {detail}"

    event: str
    detail: str

"""Rejections: refusals as values, each with a sentence for a name and the kind of its rule."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

RuleKind = Literal["note", "house rule", "order", "reference"]


@dataclass(frozen=True)
class Rejection:
    """The refusal of a command. The class name is the rule's name; `says` is a sentence with the fields in it.

    `kind` is `note` (then `paragraph` cites the founding note), `house rule`, `order` (the record is in another state)
    or `reference` (the command names a record that does not exist). A refusal that `withholds` comes before any other:
    its caller may not learn the version of the record.
    """

    kind: ClassVar[RuleKind] = "house rule"
    paragraph: ClassVar[str | None] = None
    http_status: ClassVar[int] = 422
    withholds: ClassVar[bool] = False
    says: ClassVar[str] = ""

    @property
    def rule(self) -> str:
        """The rule's name."""
        return type(self).__name__

    @property
    def title(self) -> str:
        """The rule in one sentence: the first line of its docstring."""
        return (type(self).__doc__ or self.rule).splitlines()[0].removesuffix(".")

    def sentence(self) -> str:
        """Return the sentence that states the refusal and the remedy."""
        return self.says.format(**self.facts())

    def facts(self) -> dict[str, Any]:
        """Return the fields by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class OutOfOrder(Rejection):
    """The command does not fit the state that the record is in: it does not exist, it exists already, it is closed."""

    kind: ClassVar[RuleKind] = "order"
    http_status: ClassVar[int] = 409
    says: ClassVar[str] = "{command} does not fit {stream}, which is {state}"

    command: str
    stream: str
    state: str


@dataclass(frozen=True)
class NotHeardYet(Rejection):
    """The decisive fact is another service's and has not arrived here; try again."""

    kind: ClassVar[RuleKind] = "reference"
    http_status: ClassVar[int] = 409
    says: ClassVar[str] = "no event of {stream} has arrived here yet; try again in a moment, or check the id"

    stream: str


@dataclass(frozen=True)
class VersionConflict(Rejection):
    """The stream is at another version than the `If-Match` of the request."""

    kind: ClassVar[RuleKind] = "order"
    http_status: ClassVar[int] = 412
    says: ClassVar[str] = (
        "{stream} is at version {actual}, which If-Match does not name: read it again, then decide again"
    )

    stream: str
    actual: int


@dataclass(frozen=True)
class CommandIdReused(Rejection):
    """Another actor or another command used the command id before."""

    kind: ClassVar[RuleKind] = "order"
    says: ClassVar[str] = "the command id {command_id} was used before for something else: take a new one"

    command_id: str


@dataclass(frozen=True)
class EventTooLarge(Rejection):
    """The event that the command would record exceeds the size limit."""

    http_status: ClassVar[int] = 413
    says: ClassVar[str] = "{detail}"

    field: str
    detail: str


@dataclass(frozen=True)
class StreamIsFull(Rejection):
    """A stream of this many events, or bytes, takes no more: it is read, folded and stored as a whole."""

    says: ClassVar[str] = (
        "{stream} holds {events} events of {size} bytes, and is full at {event_limit} events or {size_limit} bytes: "
        "record what follows in a new one (for a recommendation: draft it, supersede this one by it, report there), "
        "and disseminate long texts as documents, naming their digest; a correction and a command that closes it are "
        "still taken"
    )

    stream: str
    events: int
    size: int
    event_limit: int
    size_limit: int


@dataclass(frozen=True)
class NamesVoid(Rejection):
    """A command names a record that is void."""

    kind: ClassVar[RuleKind] = "reference"
    says: ClassVar[str] = "{stream} is void: name another record, or void its void first"

    stream: str


@dataclass(frozen=True)
class VersionIsVoid(Rejection):
    """An event that is void is neither corrected nor voided again."""

    kind: ClassVar[RuleKind] = "order"
    http_status: ClassVar[int] = 409
    says: ClassVar[str] = (
        "version {version} of {stream} is void by version {void}: to let it hold again, void version {void}"
    )

    stream: str
    version: int
    void: int


@dataclass(frozen=True)
class RecordIsVoid(Rejection):
    """In a void record nothing is voided but the void that makes it so."""

    kind: ClassVar[RuleKind] = "order"
    http_status: ClassVar[int] = 409
    says: ClassVar[str] = (
        "{stream} is void by version {void}, and nothing else in it is voided: to let it hold again, void that one "
        "(`throughline void {stream} {void}`), then void version {version}"
    )

    stream: str
    version: int
    void: int


@dataclass(frozen=True)
class RecordedAnew(Rejection):
    """An event does not hold again beside one that records the same anew."""

    kind: ClassVar[RuleKind] = "order"
    http_status: ClassVar[int] = 409
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
class HasConsequences(Rejection):
    """A consequence of a void event stays on record where later events rest on it."""

    kind: ClassVar[RuleKind] = "order"
    http_status: ClassVar[int] = 409
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


@dataclass(frozen=True)
class PersonWasErased(Rejection):
    """An erased person's id takes no new details."""

    kind: ClassVar[RuleKind] = "order"
    http_status: ClassVar[int] = 409
    says: ClassVar[str] = "the person {person} was erased, and the id with the key: leave `person` out for a new id"

    person: str


@dataclass(frozen=True)
class PersonIsAnotherMembers(Rejection):
    """A Government may give details only of persons whom it named first."""

    says: ClassVar[str] = "the person {person} was not named by your Government: leave `person` out for a new id"

    person: str


@dataclass(frozen=True)
class NothingIsHeldOfPerson(Rejection):
    """An erasure must name a person whose details the service holds or held."""

    kind: ClassVar[RuleKind] = "reference"
    says: ClassVar[str] = "nothing was ever sealed here under the id {person}: check the id"

    person: str

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
class StateConflict(Rejection):
    """The record is in another state than the one that the command is for."""

    kind: ClassVar[RuleKind] = "order"
    http_status: ClassVar[int] = 409


@dataclass(frozen=True)
class UnknownReference(Rejection):
    """The command names something that is not on record, or is not what it must be."""

    kind: ClassVar[RuleKind] = "reference"


@dataclass(frozen=True)
class OutOfOrder(StateConflict):
    """The command does not fit the state that the record is in: it does not exist, it exists already, it is closed."""

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
class PersonWasErased(StateConflict):
    """An erased person's id takes no new details."""

    says: ClassVar[str] = "the person {person} was erased, and the id with the key: leave `person` out for a new id"

    person: str


@dataclass(frozen=True)
class PersonIsAnotherMembers(Rejection):
    """A Government may give details only of persons whom it named first."""

    says: ClassVar[str] = "the person {person} was not named by your Government: leave `person` out for a new id"

    person: str


@dataclass(frozen=True)
class NothingIsHeldOfPerson(UnknownReference):
    """An erasure must name a person whose details the service holds or held."""

    says: ClassVar[str] = "nothing was ever sealed here under the id {person}: check the id"

    person: str

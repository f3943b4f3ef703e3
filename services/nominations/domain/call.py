"""A call for nominations: open, then closed."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from services.nominations.commands import CloseCall, OpenCall
from shared.domain.aggregate import Aggregate, Command, Context, Decision, Facts, event_from
from shared.domain.facts import Fact
from shared.domain.rejections import OutOfOrder
from shared.domain.voids import Void
from shared.events.nominations import CallForNominationsClosed, CallForNominationsOpened
from shared.events.values import Model


class Absent(Model):
    """No call of this id is on record."""

    stage: Literal["absent"] = "absent"


class Open(Model):
    """Governments may nominate under it."""

    stage: Literal["open"] = "open"
    opened: CallForNominationsOpened
    versions: tuple[int, ...]


class Closed(Model):
    """It takes no more nominations."""

    stage: Literal["closed"] = "closed"
    opened: CallForNominationsOpened
    closed: CallForNominationsClosed
    versions: tuple[int, ...]


Call: TypeAlias = Absent | Void | Open | Closed


def evolve(state: Call, fact: Fact) -> Call:
    """Fold one fact of a call's stream."""
    match state, fact.data:
        case _, CallForNominationsOpened() as opened:
            return Open(opened=opened, versions=fact.versions)
        case Open() | Closed(), CallForNominationsClosed() as closed:
            return Closed(opened=state.opened, closed=closed, versions=state.versions + fact.versions)
        case _:
            return state


def decide(state: Call, command: Command, *, stream: str, facts: Facts, context: Context) -> Decision:
    """Open a call that is not on record, close one that is open."""
    match state, command:
        case Absent(), OpenCall():
            return [event_from(command, CallForNominationsOpened)]
        case Open(), CloseCall():
            return [event_from(command, CallForNominationsClosed)]
        case _:
            return OutOfOrder(type(command).__name__, stream, in_words(state))


def in_words(state: Call) -> str:
    """Return the stage of a call in words."""
    return "not on record" if isinstance(state, Absent) else state.stage


def facets(state: Call) -> dict[str, Any]:
    """Return the values that lists of calls filter on."""
    match state:
        case Absent() | Void():
            return {"stage": state.stage}
        case Open() | Closed():
            return {"stage": state.stage, "theme": list(state.opened.themes)}


CALL: Aggregate[Call] = Aggregate(
    kind="call",
    initial=Absent(),
    states=TypeAdapter(Annotated[Call, Field(discriminator="stage")]),
    evolve=evolve,
    decide=decide,
    facets=facets,
)

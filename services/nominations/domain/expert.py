"""An expert: a stream only for an erased person; other streams hold the person's details, sealed."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from services.nominations.commands import EraseExpert
from shared.domain.aggregate import Aggregate, Command, Context, Decision, Facts, event_from
from shared.domain.facts import Fact
from shared.domain.rejections import OutOfOrder
from shared.domain.voids import Void
from shared.events.nominations import ExpertErased
from shared.events.values import Model


class Held(Model):
    """No erasure of the person is on record."""

    stage: Literal["held"] = "held"


class Erased(Model):
    """The key was destroyed: nobody can decrypt the person's details."""

    stage: Literal["erased"] = "erased"
    erased: ExpertErased
    erased_at: str
    versions: tuple[int, ...]


Expert: TypeAlias = Held | Void | Erased


def evolve(state: Expert, fact: Fact) -> Expert:
    """Fold one fact of an expert's stream."""
    match fact.data:
        case ExpertErased() as erased:
            return Erased(erased=erased, erased_at=fact.time, versions=fact.versions)
        case _:
            return state


def decide(state: Expert, command: Command, *, stream: str, facts: Facts, context: Context) -> Decision:
    """Erase a person once."""
    match state, command:
        case Held(), EraseExpert():
            return [event_from(command, ExpertErased, person=stream.partition("/")[2])]
        case _:
            return OutOfOrder(type(command).__name__, stream, state.stage)


def facets(state: Expert) -> dict[str, Any]:
    """Return what lists filter on."""
    return {"stage": state.stage}


EXPERT: Aggregate[Expert] = Aggregate(
    kind="expert",
    initial=Held(),
    states=TypeAdapter(Annotated[Expert, Field(discriminator="stage")]),
    evolve=evolve,
    decide=decide,
    facets=facets,
)

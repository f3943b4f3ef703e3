"""Pure fold of a stream's next events onto its state, checking the chain of hashes on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from shared.consumer.record import ConsumedEvent
from shared.domain.aggregate import Aggregate
from shared.domain.facts import Fact, folds_again
from shared.domain.voids import Void
from shared.events.canonical import ZERO_HASH


def _unchanged(state: None, _fact: Fact) -> None:
    return state


def _nothing(_void: Void) -> None:
    return None


def _never(*_: Any, **__: Any) -> Any:
    raise AssertionError("this service takes no command for a stream that it does not fold")


UNFOLDED: Aggregate[None] = Aggregate(
    kind="", initial=None, states=TypeAdapter(type(None)), evolve=_unchanged, decide=_never, void=_nothing
)
"""The aggregate of streams of which a service follows only the version and the hash."""


class FoldedState(NamedTuple):
    """A stream's state at a version, and the streams that a reader of this state must also read.

    `hash` is that of the event of this version, which by the chain commits to every event before it.
    A stream is `blocked` by a missing version, a broken chain, or a `fault`: the reason, in words, why its next event
    cannot be folded or stored. `policy_version` is the version up to which policies have run. `revision` counts how
    often the state was stored.
    """

    stream: str
    state: Any
    version: int = 0
    hash: str = ZERO_HASH
    depends_on: frozenset[str] = frozenset()
    blocked: bool = False
    policy_version: int = 0
    revision: int = 0
    fault: str | None = None

    def without_state(self) -> FoldedState:
        """Return the stream, versions and flags alone, to remember of a state that is stored."""
        return self._replace(state=None, depends_on=frozenset())


class Outcome(NamedTuple):
    """The result of a fold: the new state, and the event that breaks the chain, if one does."""

    folded: FoldedState
    broken: ConsumedEvent | None = None


def fold_on(aggregate: Aggregate[Any], before: FoldedState, events: Sequence[ConsumedEvent]) -> Outcome | None:
    """Fold a stream's next events and list the streams that the new state depends on; None as for `advance`."""
    outcome = advance(aggregate, before, events)
    if outcome is None or outcome.folded is before:
        return outcome
    folded = outcome.folded
    return outcome._replace(folded=folded._replace(depends_on=aggregate.depends_on(folded.state)))


def advance(aggregate: Aggregate[Any], before: FoldedState, events: Sequence[ConsumedEvent]) -> Outcome | None:
    """Fold a stream's next events. Return None if one of them is a correction or a void: then fold from version 1.

    A missing version blocks the stream; an event whose `previoushash` is not its predecessor's hash is handed back.
    """
    usable, outcome = _chained(before, events)
    if before.version and folds_again(event.recorded for event in usable):
        return None
    if not usable:
        return outcome
    state = aggregate.fold([event.recorded for event in usable], before.state if before.version else None)
    folded = outcome.folded._replace(state=state, version=before.version + len(usable), hash=usable[-1].hash)
    return Outcome(folded, outcome.broken)


def _chained(before: FoldedState, events: Sequence[ConsumedEvent]) -> tuple[Sequence[ConsumedEvent], Outcome]:
    expected, previous = before.version, before.hash
    for count, event in enumerate(events):
        recorded = event.recorded
        expected += 1
        if recorded.streamversion != expected:
            return events[:count], Outcome(before._replace(blocked=True, fault=None))
        if recorded.previoushash != previous:
            return events[:count], Outcome(before._replace(blocked=True, fault=None), broken=event)
        previous = event.hash
    return events, Outcome(before._replace(blocked=False, fault=None) if before.blocked else before)

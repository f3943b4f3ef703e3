"""What a stream amounts to, purely: its next events folded onto a state, the chain of hashes checked on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from shared.consumer.record import ConsumedEvent
from shared.domain.aggregate import CORRECTIONS, Aggregate, Fact
from shared.events.canonical import ZERO_HASH


def _stays(state: None, _fact: Fact) -> None:
    return state


def _never(*_: Any, **__: Any) -> Any:
    raise AssertionError("a stream that this service only passes by takes no command")


UNFOLDED: Aggregate[None] = Aggregate(
    kind="", initial=None, states=TypeAdapter(type(None)), evolve=_stays, decide=_never
)


class FoldedState(NamedTuple):
    """A stream's state at a version, and the streams that its reader must also read.

    `line` gives the ledger position and leaf hash of every version, as `position:leaf` with spaces between.
    """

    stream: str
    state: Any
    version: int = 0
    hash: str = ZERO_HASH
    line: str = ""
    depends_on: frozenset[str] = frozenset()
    waits: bool = False
    acted: int = 0
    revision: int = 0


class Outcome(NamedTuple):
    """What folding a stream came to: its new state, and the event whose chain is broken, if one is."""

    folded: FoldedState
    broken: ConsumedEvent | None = None


def fold_on(aggregate: Aggregate[Any], before: FoldedState, events: Sequence[ConsumedEvent]) -> Outcome | None:
    """Fold a stream's next events, and say what the new state depends on; None as for `advance`."""
    outcome = advance(aggregate, before, events)
    if outcome is None or outcome.folded is before:
        return outcome
    folded = outcome.folded
    return outcome._replace(folded=folded._replace(depends_on=aggregate.depends_on(folded.state)))


def advance(aggregate: Aggregate[Any], before: FoldedState, events: Sequence[ConsumedEvent]) -> Outcome | None:
    """Fold a stream's next events. None where one of them is a correction: then fold from version 1.

    A missing version makes the stream wait; an event whose `previoushash` is not its predecessor's hash is handed back.
    """
    usable, outcome = _chained(before, events)
    if before.version and any(type(event.recorded.data) in CORRECTIONS for event in usable):
        return None
    if not usable:
        return outcome
    state = aggregate.fold([event.recorded for event in usable], before.state if before.version else None)
    line = " ".join([f"{event.position}:{event.leaf}" for event in usable])
    folded = outcome.folded._replace(
        state=state,
        version=before.version + len(usable),
        hash=usable[-1].hash,
        line=f"{before.line} {line}" if before.line else line,
    )
    return Outcome(folded, outcome.broken)


def _chained(before: FoldedState, events: Sequence[ConsumedEvent]) -> tuple[Sequence[ConsumedEvent], Outcome]:
    expected, previous = before.version, before.hash
    for taken, event in enumerate(events):
        recorded = event.recorded
        expected += 1
        if recorded.streamversion != expected:
            return events[:taken], Outcome(before._replace(waits=True))
        if recorded.previoushash != previous:
            return events[:taken], Outcome(before._replace(waits=True), broken=event)
        previous = event.hash
    return events, Outcome(before._replace(waits=False) if before.waits else before)

"""The fold of a stream that fails as a whole: the longest prefix that folds and fits, and why the next event does not.

A pure function of the stream's events, so live, rebuild and replay stop such a stream at the same version.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from contextlib import suppress
from traceback import walk_tb
from typing import Any

from shared.consumer.record import ConsumedEvent
from shared.domain.aggregate import Aggregate
from shared.projection.fold import FoldedState, Outcome, fold_on
from shared.projection.state_document import SMALL_VERSIONS, TooLargeToStore, state_document


def fold_whole(aggregate: Aggregate[Any], initial: FoldedState, events: Sequence[ConsumedEvent], shape: int) -> Outcome:
    """Fold a stream's events from version 1, as far as the live side can fold and store them."""
    if len(events) <= SMALL_VERSIONS:
        with suppress(Exception):  # pure code: whatever it raises belongs to this stream
            outcome = fold_on(aggregate, initial, events)
            assert outcome is not None, "a fold from version 1 takes corrections and voids"
            aggregate.facets(outcome.folded.state)
            return outcome
    return fold_and_fit(aggregate, initial, events, shape)


def fold_and_fit(
    aggregate: Aggregate[Any], initial: FoldedState, events: Sequence[ConsumedEvent], shape: int
) -> Outcome:
    """Fold a stream's events, up to the longest prefix whose state folds and fits into a document.

    A shorter one is blocked, with the fault in words. It is found by bisection.
    """
    prefix, outcome = 0, Outcome(initial)
    faults: dict[int, str] = {}

    def fails(length: int) -> bool:
        nonlocal prefix, outcome
        try:
            longer = fold_on(aggregate, outcome.folded, events[prefix:length])
            if longer is None:  # a correction or a void
                longer = fold_on(aggregate, initial, events[:length])
            assert longer is not None, "a fold from version 1 takes corrections and voids"
            state_document(aggregate, longer.folded, shape)
            prefix, outcome = length, longer
        except Exception as error:  # noqa: BLE001 - pure code: whatever it raises belongs to this stream
            faults[length] = fault_of(error)
        return length in faults

    if fails(len(events)):
        bisect_left(range(1, len(events)), True, key=fails)
        fault = faults[min(prefix + 1, len(events))]
        outcome = outcome._replace(folded=stopped(outcome.folded, fault))
    return outcome


def stopped(folded: FoldedState, fault: str) -> FoldedState:
    """Return a state that stays where it is because of a fault."""
    return folded._replace(blocked=True, fault=fault)


def fault_of(error: Exception) -> str:
    """Say in words why something cannot be folded, composed or stored; never with the values, which may be personal."""
    if isinstance(error, TooLargeToStore):
        return str(error)
    frame, line = list(walk_tb(error.__traceback__))[-1]
    place = f"{frame.f_globals.get('__name__', '?')}.{frame.f_code.co_name}, line {line}"
    return f"the code of this release raised {type(error).__name__} in {place}"

"""A stream that fails as a whole is folded up to the longest prefix that folds, and says why it stops there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.recommendations.projection import AGGREGATES
from shared.consumer.decoding import decode_record
from shared.consumer.record import ConsumedEvent
from shared.domain.aggregate import Aggregate
from shared.domain.facts import Fact
from shared.projection.fold import FoldedState, fold_on
from shared.projection.partial_fold import fold_and_fit, fold_whole
from tests.history import a_history
from tests.proofs import TRUST

STREAM = "recommendation/SYN/2031/R1"
EVENTS = [
    event
    for record in a_history().records[STREAM]
    if isinstance(event := decode_record(record, TRUST), ConsumedEvent)
]  # fmt: skip


def breaking(version: int) -> Aggregate[Any]:
    """Return the aggregate, unable to fold one event."""
    aggregate = AGGREGATES["recommendation"]

    def evolve(state: Any, fact: Fact) -> Any:
        if fact.versions[0] == version:
            raise LookupError("Synthetic")
        return aggregate.evolve(state, fact)

    return replace(aggregate, evolve=evolve)


@given(st.integers(1, 12), st.integers(0, 12))
def test_the_fold_stops_right_before_the_event_that_fails(version: int, length: int):
    aggregate = breaking(version)
    initial = FoldedState(STREAM, aggregate.initial, revision=3, policy_version=2)
    folded = fold_whole(aggregate, initial, EVENTS[:length], 1).folded
    assert fold_and_fit(aggregate, initial, EVENTS[:length], 1).folded == folded
    correction = 10
    if version > length or version == correction:
        assert folded == fold_on(aggregate, initial, EVENTS[:length]).folded  # type: ignore[union-attr]
        assert (folded.version, folded.fault, folded.blocked) == (length, None, False)
    else:
        before = fold_on(aggregate, initial, EVENTS[: version - 1])
        assert before is not None
        assert folded == before.folded._replace(blocked=True, fault=folded.fault)
        assert folded.fault is not None
        assert "raised LookupError" in folded.fault
        assert (folded.revision, folded.policy_version) == (3, 2)


@given(st.integers(0, 12), st.integers(1, 12))
def test_a_gap_before_the_event_that_fails_is_no_fault(length: int, missing: int):
    aggregate = breaking(12)
    initial = FoldedState(STREAM, aggregate.initial)
    events = [event for event in EVENTS[:length] if event.recorded.streamversion != missing]
    folded = fold_whole(aggregate, initial, events, 1).folded
    if missing < length:
        assert (folded.version, folded.blocked, folded.fault) == (missing - 1, True, None)

"""Events that arrive one by one, each stream in order: the traces composed again on each end as those replayed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import MagicMock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.recommendations.composing import gather, trace_or_fault
from services.recommendations.projection import AGGREGATES, Traces
from services.recommendations.trace import SHAPE, trace_bytes
from shared.consumer.decoding import decode_record
from shared.consumer.record import ConsumedEvent, KafkaRecord
from shared.projection.fold import FoldedState
from shared.projection.partial_fold import fold_whole
from tests.proofs import TRUST
from tests.recommendations.test_interleavings import EXPECTED, HISTORY, an_order

pytestmark = pytest.mark.slow


@dataclass
class Memory:
    """Journal and states of a service in memory, as its traces read them."""

    events: dict[str, list[ConsumedEvent]] = field(default_factory=dict)
    states: dict[str, FoldedState] = field(default_factory=dict)

    def take(self, record: KafkaRecord) -> str:
        """Journal an event and fold its stream; return the stream."""
        event = decode_record(record, TRUST)
        assert isinstance(event, ConsumedEvent)
        stream = event.recorded.subject
        self.events.setdefault(stream, []).append(event)
        initial = FoldedState(stream, AGGREGATES[stream.partition("/")[0]].initial)
        self.states[stream] = fold_whole(AGGREGATES[_kind(stream)], initial, self.events[stream], SHAPE).folded
        return stream

    async def after(self, versions: Mapping[str, int]) -> dict[str, list[ConsumedEvent]]:
        """Return the events of streams."""
        return {stream: self.events[stream] for stream in versions}

    async def read(self, streams: Iterable[str]) -> dict[str, FoldedState]:
        """Return the states of streams."""
        return {s: self.states.get(s) or FoldedState(s, AGGREGATES[_kind(s)].initial) for s in streams}

    async def dependants(self, streams: set[str], kind: str) -> set[str]:
        """Return the streams of a kind that depend on one of these."""
        return {s for s, folded in self.states.items() if _kind(s) == kind and folded.depends_on & set(streams)}

    async def by_facet(self, kind: str, facet: str, values: Iterable[str]) -> dict[str, set[str]]:
        """Return the streams of a kind by each of these values of a facet."""
        facets = {s: AGGREGATES[kind].facets(each.state) for s, each in self.states.items() if _kind(s) == kind}
        return {value: {s for s, each in facets.items() if value in each.get(facet, ())} for value in values}


def _kind(stream: str) -> str:
    return stream.partition("/")[0]


async def _live(records: Iterable[KafkaRecord]) -> dict[str, bytes]:
    memory, live = Memory(), dict[str, bytes]()
    states: Any = memory
    traces = Traces(MagicMock(), states, states)
    for record in records:
        touched = sorted(await traces.dependants({memory.take(record)}))
        gathered = await gather(touched, states)
        for reference in touched:
            trace = trace_or_fault(reference, *gathered)
            assert trace is not None
            live[reference] = trace_bytes(trace)
    return live


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_in_every_order_live_traces_end_as_those_replayed(seed: int):
    assert asyncio.run(_live(an_order(seed, by_stream=True, twice=0))) == EXPECTED


def test_an_initiative_that_came_last_or_first_ends_the_same():
    initiatives = [record for record in HISTORY.all() if record.key is not None and b"initiative/" in record.key]
    others = [record for record in HISTORY.all() if record not in initiatives]
    assert len(initiatives) > 5
    for order in ([*others, *initiatives], [*initiatives, *others]):
        assert asyncio.run(_live(order)) == EXPECTED

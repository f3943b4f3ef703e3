"""The spans of consumed events, from their batch until their effects are stored."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from aiokafka import ConsumerRecord

from shared.tracing.messaging import processing, processing_batch
from shared.tracing.spans import MOST_LINKS, OpenSpan, tracing
from shared.tracing.traceparent import TRACEPARENT

FRESH_SECONDS = 86_400.0
"""The age of a record whose trace is no longer continued: one who reads a topic again would fill traces long past."""
Record = ConsumerRecord[Any, Any]


class EventSpans:
    """The spans of the consumed but unflushed events that belong to a sampled trace; the first ones, at most 128."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._open: dict[str, OpenSpan] = {}

    @contextmanager
    def batch(self, records: Sequence[Record]) -> Iterator[None]:
        """Open the span of a batch, and begin those of its sampled events; an error ends them."""
        sampled = _sampled(records) if tracing().is_on else []
        with processing_batch(self._group, len(records), (traceparent for _, traceparent in sampled)):
            for record, traceparent in sampled[: MOST_LINKS - len(self._open)]:
                if span := processing(record.topic, self._group, traceparent):
                    self._open[f"{record.topic}/{record.partition}/{record.offset}"] = span
            with self._failing():
                yield

    @contextmanager
    def flush(self) -> Iterator[None]:
        """Let what is composed, and what policies do, belong to the events; end their spans."""
        with self._failing(), tracing().flushing(self._open):
            yield
        for span in self._open.values():
            span.end()
        self._open = {}

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            for span in self._open.values():
                span.fail(error)
            self._open = {}
            raise


def _sampled(records: Sequence[Record]) -> list[tuple[Record, object]]:
    """Return the fresh records that carry a traceparent, with it: whatever it is."""
    oldest = (time.time() - FRESH_SECONDS) * 1000
    carried = ((record, dict(record.headers).get(TRACEPARENT)) for record in records)
    return [(record, value) for record, value in carried if value is not None and record.timestamp >= oldest]

"""The spans of events on their way through Kafka, with the names of OpenTelemetry's conventions for messaging."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager

from shared.tracing.spans import OpenSpan, Span, tracing


def appending(topic: str, count: int) -> AbstractContextManager[Span]:
    """Open the span of an append, in whose trace the events of its commit are consumed."""
    return tracing().child(f"append {topic}", "producer", _attributes("create", topic) | {_COUNT: count})


def sending(topic: str, count: int, traceparents: Iterable[str]) -> AbstractContextManager[Span]:
    """Open the span of a batch of the relay, linked to the appends of its sampled events."""
    attributes = _attributes("send", topic) | {_COUNT: count}
    return tracing().batch(f"send {topic}", "client", attributes, traceparents)


def processing_batch(group: str, count: int, traceparents: Iterable[object]) -> AbstractContextManager[Span]:
    """Open the span of a batch of the subscriber, linked to the appends of its sampled events."""
    attributes = _attributes("process") | {_GROUP: group, _COUNT: count}
    return tracing().batch("process batch", "consumer", attributes, traceparents)


def processing(topic: str, group: str, traceparent: object) -> OpenSpan | None:
    """Begin the span of one consumed event, if its append was sampled."""
    return tracing().event(f"process {topic}", traceparent, _attributes("process", topic) | {_GROUP: group})


_COUNT = "messaging.batch.message_count"
_GROUP = "messaging.consumer.group.name"


def _attributes(operation: str, topic: str = "") -> dict[str, str | int]:
    named = {"messaging.destination.name": topic} if topic else {}
    return {"messaging.system": "kafka", "messaging.operation.type": operation, **named}

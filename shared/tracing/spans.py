"""The spans of this process; none, at no cost, until `start`, which alone imports OpenTelemetry's SDK.

Attributes hold kinds, routes, counts and names of classes. Never a stream, an actor, a name or an address: a stream's
id may be an actor's, and a route is the pattern of an address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from typing import Literal, Protocol

Attributes = Mapping[str, str | int]
Kind = Literal["internal", "server", "client", "producer", "consumer"]
MOST_LINKS = 128
"""The links of one span, and the sampled events of one batch, at most."""
NO_ATTRIBUTES: Attributes = MappingProxyType({})


class Span(Protocol):
    """A span that is open."""

    def set_attribute(self, key: str, value: str | int) -> None:
        """Add an attribute."""

    def update_name(self, name: str) -> None:
        """Name the span again."""


class NoSpan:
    """No span, in the place of one."""

    def set_attribute(self, key: str, value: str | int) -> None:
        """Add nothing."""

    def update_name(self, name: str) -> None:
        """Name nothing."""


NO_SPAN = NoSpan()
NOTHING: AbstractContextManager[Span] = nullcontext(NO_SPAN)


class Tracing:
    """The tracer of this process, here while tracing is off: it opens no span."""

    is_on = False

    def request(self, name: str, traceparent: object, attributes: Attributes) -> AbstractContextManager[Span]:
        """Open the span of an HTTP request, in its caller's trace if that is known."""
        return NOTHING

    def child(
        self, name: str, kind: Kind = "internal", attributes: Attributes = NO_ATTRIBUTES
    ) -> AbstractContextManager[Span]:
        """Open a span within the current one; none outside of a sampled trace."""
        return NOTHING

    def batch(
        self, name: str, kind: Kind, attributes: Attributes, traceparents: Iterable[object]
    ) -> AbstractContextManager[Span]:
        """Open a span in a trace of its own, linked to the sampled traces of a batch; none where there is no such."""
        return NOTHING

    def event(self, name: str, traceparent: object, attributes: Attributes) -> OpenSpan | None:
        """Begin the span of a consumed event, within the span that appended it; None outside of a sampled trace."""
        return None

    def flushing(self, events: Mapping[str, OpenSpan]) -> AbstractContextManager[None]:
        """Let `in_each_event` and `in_event` refer to these spans, by the places of their records in Kafka."""
        return nullcontext()

    def in_each_event(self, name: str) -> AbstractContextManager[Span]:
        """Open a span within that of each event being flushed, else within the current span."""
        return NOTHING

    def in_event(self, origin: str) -> AbstractContextManager[object]:
        """Let what follows belong to the span of an event being flushed, if it has one."""
        return NOTHING

    def headers(self) -> dict[str, str]:
        """Return the header that hands the current trace on with an HTTP request, sampled or not."""
        return {}

    def traceparent(self) -> str | None:
        """Return the current span as a traceparent, if its trace is sampled."""
        return None

    def trace_id(self) -> str | None:
        """Return the id of the current trace, in hex."""
        return None

    def shut_down(self) -> None:
        """Export what is not exported yet."""


class OpenSpan(Protocol):
    """The span of an event until its effects are stored."""

    def end(self) -> None:
        """End the span."""

    def fail(self, error: BaseException) -> None:
        """End the span, failed for an error of this class."""


OFF = Tracing()
_current = OFF


def tracing() -> Tracing:
    """Return the tracer of this process."""
    return _current


def start(resource: Mapping[str, str], ratio: float) -> None:
    """Trace from now on, a share of the requests whose caller did not decide. `resource` describes this process."""
    global _current
    from shared.tracing.sdk import OpenTelemetry

    _current = OpenTelemetry(resource, ratio)


def stop() -> None:
    """Export what is left, and trace no more."""
    global _current
    _current.shut_down()
    _current = OFF

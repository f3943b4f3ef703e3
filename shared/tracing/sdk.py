"""Tracing by OpenTelemetry's SDK: spans in batches to a collector, OTLP over HTTP.

No exception is recorded as OpenTelemetry would: its message may be personal. A failed span names the class alone.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import islice
from threading import Thread
from types import MappingProxyType

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes as SpanAttributes

from shared.tracing.spans import MOST_LINKS, NO_ATTRIBUTES, NOTHING, Attributes, Kind, OpenSpan, Span, Tracing
from shared.tracing.traceparent import TRACEPARENT, well_formed

LAST_EXPORT_SECONDS = 5.0
_KINDS = {kind.name.lower(): kind for kind in SpanKind}
_CERTIFICATES = ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE")
_NO_EVENTS: Mapping[str, OpenSpan] = MappingProxyType({})
_propagator = TraceContextTextMapPropagator()
_flushing: ContextVar[Mapping[str, OpenSpan]] = ContextVar("flushing", default=_NO_EVENTS)


class LinkedOrRatio(TraceIdRatioBased):
    """A sampler that samples each span with links, which are to sampled traces, and a share of the others."""

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: SpanAttributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Return the decision on one span without a parent."""
        if links:
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes)
        return super().should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)


@dataclass(frozen=True)
class EventSpan:
    """The span of a consumed event until its effects are stored."""

    span: trace.Span

    def end(self) -> None:
        """End the span."""
        self.span.end()

    def fail(self, error: BaseException) -> None:
        """End the span, failed for an error of this class."""
        _fail(self.span, error)
        self.span.end()


@dataclass(frozen=True)
class EachSpan:
    """Several spans, of which each gets every attribute."""

    spans: Sequence[trace.Span]

    def set_attribute(self, key: str, value: str | int) -> None:
        """Add an attribute to each."""
        for span in self.spans:
            span.set_attribute(key, value)

    def update_name(self, name: str) -> None:
        """Name each again."""
        for span in self.spans:
            span.update_name(name)


class OpenTelemetry(Tracing):
    """The tracer of this process, of a provider that no other library reads."""

    is_on = True

    def __init__(self, resource: Mapping[str, str], ratio: float) -> None:
        self._provider = TracerProvider(
            sampler=ParentBased(LinkedOrRatio(ratio)), resource=Resource.create(resource), shutdown_on_exit=False
        )
        exporter = OTLPSpanExporter(certificate_file=_system_certificates())
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("throughline")

    def request(self, name: str, traceparent: object, attributes: Attributes) -> AbstractContextManager[Span]:
        """Open the span of an HTTP request, in its caller's trace if that is known."""
        parent = _context_of(traceparent)
        return _opened(self._tracer.start_span(name, parent, SpanKind.SERVER, attributes))

    def child(
        self, name: str, kind: Kind = "internal", attributes: Attributes = NO_ATTRIBUTES
    ) -> AbstractContextManager[Span]:
        """Open a span within the current one; none outside of a sampled trace."""
        if not trace.get_current_span().is_recording():
            return NOTHING
        return _opened(self._tracer.start_span(name, None, _KINDS[kind], attributes))

    def batch(
        self, name: str, kind: Kind, attributes: Attributes, traceparents: Iterable[object]
    ) -> AbstractContextManager[Span]:
        """Open a span in a trace of its own, linked to the sampled traces of a batch; none where there is no such."""
        appended = (_span_context(each) for each in dict.fromkeys(traceparents))
        links = [Link(each) for each in islice(filter(_is_sampled, appended), MOST_LINKS)]
        if not links:
            return NOTHING
        return _opened(self._tracer.start_span(name, Context(), _KINDS[kind], attributes, links))

    def event(self, name: str, traceparent: object, attributes: Attributes) -> EventSpan | None:
        """Begin the span of a consumed event, within the span that appended it; None outside of a sampled trace."""
        parent = _context_of(traceparent)
        if not _is_sampled(trace.get_current_span(parent).get_span_context()):
            return None
        batch = trace.get_current_span().get_span_context()
        links = [Link(batch)] if batch.is_valid else []
        return EventSpan(self._tracer.start_span(name, parent, SpanKind.CONSUMER, attributes, links))

    @contextmanager
    def flushing(self, events: Mapping[str, OpenSpan]) -> Iterator[None]:
        """Let `in_each_event` and `in_event` refer to these spans, by the places of their records in Kafka."""
        token = _flushing.set(events)
        try:
            yield
        finally:
            _flushing.reset(token)

    def in_each_event(self, name: str) -> AbstractContextManager[Span]:
        """Open a span within that of each event being flushed, else within the current span."""
        events = [event for event in _flushing.get().values() if isinstance(event, EventSpan)]
        return self._each(name, events) if events else self.child(name)

    @contextmanager
    def _each(self, name: str, events: Sequence[EventSpan]) -> Iterator[EachSpan]:
        within = (trace.set_span_in_context(event.span, Context()) for event in events)
        spans = EachSpan([self._tracer.start_span(name, parent) for parent in within])
        try:
            yield spans
        except BaseException as error:
            for span in spans.spans:
                _fail(span, error)
            raise
        finally:
            for span in spans.spans:
                span.end()

    def in_event(self, origin: str) -> AbstractContextManager[object]:
        """Let what follows belong to the span of an event being flushed, if it has one."""
        event = _flushing.get().get(origin)
        return _within(event.span) if isinstance(event, EventSpan) else NOTHING

    def headers(self) -> dict[str, str]:
        """Return the header that hands the current trace on with an HTTP request, sampled or not."""
        carrier: dict[str, str] = {}
        _propagator.inject(carrier)
        return {name: value for name, value in carrier.items() if name == TRACEPARENT}

    def traceparent(self) -> str | None:
        """Return the current span as a traceparent, if its trace is sampled."""
        is_sampled = _is_sampled(trace.get_current_span().get_span_context())
        return self.headers().get(TRACEPARENT) if is_sampled else None

    def trace_id(self) -> str | None:
        """Return the id of the current trace, in hex."""
        current = trace.get_current_span().get_span_context()
        return trace.format_trace_id(current.trace_id) if current.is_valid else None

    def shut_down(self) -> None:
        """Export what is not exported yet, for some seconds at most: the collector may be away."""
        last = Thread(target=self._provider.shutdown, name="last export", daemon=True)
        last.start()
        last.join(LAST_EXPORT_SECONDS)


def _context_of(traceparent: object) -> Context:
    """Return the context of a traceparent, and an empty one for anything else."""
    text = well_formed(traceparent)
    return _propagator.extract({TRACEPARENT: text}, Context()) if text else Context()


def _span_context(traceparent: object) -> SpanContext:
    return trace.get_current_span(_context_of(traceparent)).get_span_context()


def _is_sampled(context: SpanContext) -> bool:
    return context.is_valid and context.trace_flags.sampled


def _within(span: trace.Span, *, end: bool = False) -> AbstractContextManager[trace.Span]:
    return trace.use_span(span, end, record_exception=False, set_status_on_exception=False)


@contextmanager
def _opened(span: trace.Span) -> Iterator[trace.Span]:
    """Make a span the current one, and end it."""
    with _within(span, end=True):
        try:
            yield span
        except BaseException as error:
            _fail(span, error)
            raise


def _fail(span: trace.Span, error: BaseException) -> None:
    span.set_attribute("error.type", type(error).__name__)
    span.set_status(Status(StatusCode.ERROR))


def _system_certificates() -> str | None:
    """Return the file of the operating system's certificates, unless the environment names another one."""
    return None if any(map(os.environ.get, _CERTIFICATES)) else ssl.get_default_verify_paths().cafile

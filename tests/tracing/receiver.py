"""A collector in this process: it takes OTLP over HTTP, as a real one does, and holds the spans."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.patience import until


@dataclass(frozen=True)
class SeenSpan:
    """A span as it was exported, and the service that exported it."""

    service: str
    scope: str
    name: str
    trace: str
    id: str
    parent: str
    links: tuple[str, ...]
    attributes: dict[str, Any]
    is_failed: bool


@dataclass
class Collector:
    """The received requests by path, their spans, and every byte."""

    port: int
    paths: set[str] = field(default_factory=set)
    spans: list[SeenSpan] = field(default_factory=list)
    bodies: bytearray = field(default_factory=bytearray)

    @property
    def address(self) -> str:
        """Return the value of OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"http://127.0.0.1:{self.port}"

    def of(self, trace: str) -> list[SeenSpan]:
        """Return the spans of a trace."""
        return [span for span in list(self.spans) if span.trace == trace]

    def named(self, name: str) -> list[SeenSpan]:
        """Return the spans of a name."""
        return [span for span in list(self.spans) if span.name == name]

    def await_name(self, name: str) -> SeenSpan:
        """Wait for a span of a name, and return the first."""
        until(lambda: bool(self.named(name)))
        return self.named(name)[0]

    def take(self, path: str, body: bytes) -> None:
        """Take the body of one request."""
        self.paths.add(path)
        self.bodies += body
        if path == "/v1/traces":
            self.spans += _spans_of(ExportTraceServiceRequest.FromString(body))


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            zipped = self.headers.get("Content-Encoding") == "gzip"
            collector.take(self.path, gzip.decompress(body) if zipped else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _spans_of(request: ExportTraceServiceRequest) -> Iterator[SeenSpan]:
    for resource in request.resource_spans:
        service = next(each.value.string_value for each in resource.resource.attributes if each.key == "service.name")
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield SeenSpan(
                    service, scope.scope.name, span.name, span.trace_id.hex(), span.span_id.hex(),
                    span.parent_span_id.hex(), tuple(link.span_id.hex() for link in span.links),
                    {each.key: each.value.string_value or each.value.int_value for each in span.attributes},
                    span.status.code == span.status.STATUS_CODE_ERROR,
                )  # fmt: skip

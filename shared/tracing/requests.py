"""Middleware that opens the span of each HTTP request, of a service and of the console."""

from __future__ import annotations

from fastapi.telemetry import TelemetryConfig
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.tracing.spans import tracing
from shared.tracing.traceparent import TRACEPARENT

UNTRACED = ("/healthz", "/livez", "/readyz", "/servez", "/metrics", "/static/")
"""The beginnings of addresses that probes, Prometheus and browsers ask for all the time."""
NO_NATIVE_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""FastAPI's own telemetry switched off: it would export addresses with their queries, and messages of exceptions."""
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


class TracedRequests:
    """The middleware; `continues` a trace that the caller began, or begins one in any case."""

    def __init__(self, app: ASGIApp, *, continues: bool) -> None:
        self._app, self._continues = app, continues

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request within its span, whose name is the route's pattern: an address may hold a person's id."""
        if scope["type"] != "http" or scope["path"].startswith(UNTRACED):
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        parent = Headers(scope=scope).get(TRACEPARENT) if self._continues else None
        with tracing().request(method, parent, {"http.request.method": method}) as span:

            async def send_with_status(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            try:
                await self._app(scope, receive, send_with_status)
            finally:
                if route := getattr(scope.get("route"), "path", None):
                    span.set_attribute("http.route", route)
                    span.update_name(f"{method} {route}")

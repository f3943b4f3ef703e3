"""Middleware for every request: its correlation id, and a bare problem (500) for an unhandled exception."""

from __future__ import annotations

import re
import traceback
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.problems import Refused
from shared.runtime.telemetry import REFUSALS

log = structlog.get_logger()

HEADER = "X-Correlation-Id"
_CORRELATION_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")


class Correlation:
    """Middleware that sets a request's correlation id in its state, its log records and its response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request; answer an unhandled exception with a problem (500)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        requested = Headers(scope=scope).get(HEADER, "")
        correlation_id = requested if _CORRELATION_ID.fullmatch(requested) else str(uuid4())
        scope.setdefault("state", {})["correlation_id"] = correlation_id
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)[HEADER] = correlation_id
            await send(message)

        with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):
            try:
                await self._app(scope, receive, send_with_id)
            except ClientDisconnect:
                log.info("client_disconnected")
            except Exception as error:  # noqa: BLE001 - its message may be personal, and goes no further
                log.error("request_failed", error=type(error).__name__, at=_places(error))
                REFUSALS.labels(scope["app"].state.service, "FaultOfOurs", 500).inc()
                if not started:
                    problem = Refused(500, "FaultOfOurs", "this is a fault of the service; the correlation id names it")
                    await problem.response()(scope, receive, send_with_id)


def _places(error: Exception) -> list[str]:
    """Return the file and line of an error's innermost frames, without its message."""
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return [f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno}" for frame in frames]

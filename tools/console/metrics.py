"""Metrics of the console, on a port of their own: the other one is published whole."""

from __future__ import annotations

import asyncio
import platform
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.runtime.telemetry import BUILD, PAGE_SECONDS
from shared.runtime.version import version
from shared.tracing.requests import UNTRACED

SERVICE = "console"


class TimedPages:
    """The middleware that measures each answer but those to probes and for static files; a bug counts as 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, and observe its time under the status of its answer."""
        if scope["type"] != "http" or scope["path"].startswith(UNTRACED):
            await self._app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def send_with_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_with_status)
        finally:
            PAGE_SECONDS.labels(SERVICE, status).observe(time.perf_counter() - began)


class _ServerBeside(uvicorn.Server):
    """A server in the process of another one, which alone handles signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the other server."""
        yield


@asynccontextmanager
async def metrics_served(host: str, port: int) -> AsyncIterator[None]:
    """Serve `/metrics` and nothing else; a port that is taken ends the process."""
    BUILD.labels(SERVICE, version(), platform.python_version()).set(1)
    app = Starlette(routes=[Route("/metrics", _metrics)])
    config = uvicorn.Config(
        app, host=host, port=port, ws="none", lifespan="off", log_config=None, access_log=False, server_header=False
    )
    server = _ServerBeside(config)
    serving = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.wait([serving])


async def _metrics(_request: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

"""What holds for every request: its correlation id, and that a fault of ours is answered without saying more."""

from __future__ import annotations

import re
import traceback
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.problems import Refused

log = structlog.get_logger()

HEADER = "X-Correlation-Id"
_CORRELATION_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")


class Correlation:
    """Gives each request its correlation id, in its state, its log lines and its answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; one that ends in an error of ours is answered with a problem (500)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get(HEADER, "")
        correlation_id = asked if _CORRELATION_ID.fullmatch(asked) else str(uuid4())
        scope.setdefault("state", {})["correlation_id"] = correlation_id
        begun = False

        async def told(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                MutableHeaders(scope=message)[HEADER] = correlation_id
            await send(message)

        with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):
            try:
                await self._app(scope, receive, told)
            except ClientDisconnect:
                log.info("client_went_away")
            except Exception as error:  # noqa: BLE001 - what it says may be personal, so it goes no further than here
                log.error("request_failed", error=type(error).__name__, at=_places(error))
                if not begun:
                    answer = Refused(500, "FaultOfOurs", "this is a fault of the service; the correlation id names it")
                    await answer.response()(scope, receive, told)


def _places(error: Exception) -> list[str]:
    """Say where an error was raised, innermost last, without what it says."""
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return [f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno}" for frame in frames]

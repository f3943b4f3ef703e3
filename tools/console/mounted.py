"""The console under a path of its front's, as in https://example.org/throughline: local addresses get that path.

The front takes the path away from requests. Pages are written with addresses from the root. In a page each of them
begins the value of an attribute, and no text can look like one: templates escape every quotation mark.
"""

from __future__ import annotations

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ADDRESS = re.compile(rb'(\s(?:href|src|action|formaction|hx-get|hx-post)=")(?=/(?!/))')


class Mounted:
    """The middleware that puts a path before the local addresses in pages and redirections."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app, self._path = app, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def send_mounted(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if (location := headers.get("location", "")).startswith("/"):
                    headers["location"] = self._path + location
                if headers.get("content-type", "").startswith("text/html"):
                    start = message
                    return
            elif start is not None:
                body += message.get("body", b"")
                if message.get("more_body"):
                    return
                page = _ADDRESS.sub(rb"\1" + self._path.encode(), body)
                if scope["method"] != "HEAD":
                    MutableHeaders(scope=start)["content-length"] = str(len(page))
                await send(start)
                message, start = {"type": "http.response.body", "body": page}, None
            await send(message)

        await self._app(scope, receive, send_mounted)

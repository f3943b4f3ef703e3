"""Sessions in encrypted cookies: no store, so that any console instance with the same keys can go on with them."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import orjson
from cryptography.fernet import InvalidToken, MultiFernet
from starlette.datastructures import MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CHUNK = 3_800
CHUNKS = 5


class Sessions:
    """The middleware that decrypts a session into `scope["session"]`, and encrypts it again where it changed.

    A session too long for one cookie is cut into several; what cannot be decrypted, or is too old, is no session.
    """

    def __init__(self, app: ASGIApp, *, cipher: MultiFernet, seconds: float, secure: bool) -> None:
        self._app, self._cipher, self._seconds = app, cipher, int(seconds)
        self._name = "__Host-throughline" if secure else "throughline"
        self._attributes = "; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request with its session."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        cookies = _cookies(scope)
        before = self._decrypted(cookies)
        scope["session"] = orjson.loads(before) if before else {}

        async def send_with_session(message: Message) -> None:
            if message["type"] == "http.response.start":
                after = orjson.dumps(scope["session"]) if scope["session"] else b""
                if after != before:
                    self._set(MutableHeaders(scope=message), after, cookies)
            await send(message)

        await self._app(scope, receive, send_with_session)

    def _decrypted(self, cookies: Mapping[str, str]) -> bytes:
        token = "".join(cookies.get(name, "") for name in self._names())
        if not token:
            return b""
        try:
            session = self._cipher.decrypt(token, self._seconds)
            return session if orjson.loads(session).get("until", math.inf) >= time.time() else b""
        except (InvalidToken, ValueError, AttributeError):
            return b""

    def _set(self, headers: MutableHeaders, session: bytes, cookies: Mapping[str, str]) -> None:
        token = self._cipher.encrypt(session).decode() if session else ""
        for index, name in enumerate(self._names()):
            if chunk := token[index * CHUNK : (index + 1) * CHUNK]:
                headers.append("set-cookie", f"{name}={chunk}; Max-Age={self._seconds}{self._attributes}")
            elif name in cookies:
                headers.append("set-cookie", f"{name}=; Max-Age=0{self._attributes}")

    def _names(self) -> list[str]:
        return [self._name, *(f"{self._name}-{index}" for index in range(2, CHUNKS + 1))]


def fits(session: Mapping[str, Any], cipher: MultiFernet) -> bool:
    """Tell whether a session fits into the cookies that a browser takes."""
    return len(cipher.encrypt(orjson.dumps(session))) <= CHUNK * CHUNKS


def _cookies(scope: Scope) -> dict[str, str]:
    headers = [value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"]
    return cookie_parser("; ".join(headers))

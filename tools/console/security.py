"""Protects pages: a strict content security policy, anti-forgery tokens, local return addresses."""

from __future__ import annotations

import hmac
import secrets
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tools.console.assets import TEMPLATE_SCRIPT_HASH

CSRF = "csrf"


def policy(issuer: str) -> str:
    """Return the content security policy; `issuer` is an origin to which the form of sign-in may lead."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' '{TEMPLATE_SCRIPT_HASH}'",
            "style-src 'self'",
            "img-src 'self'",
            "font-src 'self'",
            "connect-src 'self'",
            f"form-action 'self' {issuer}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


class SecureHeaders:
    """The middleware that sets the headers of every answer."""

    def __init__(self, app: ASGIApp, *, issuer: str, secure: bool) -> None:
        parts = urlsplit(issuer)
        self._app = app
        self._headers = {
            "Content-Security-Policy": policy(f"{parts.scheme}://{parts.netloc}"),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        } | ({"Strict-Transport-Security": "max-age=31536000"} if secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def csrf_token(request: Request) -> str:
    """Return the session's anti-forgery token, made at the first call."""
    token: str = request.session.setdefault(CSRF, secrets.token_urlsafe(24))
    return token


def is_own(request: Request, sent: Any) -> bool:
    """Tell whether a form was sent from a page of this session."""
    own = request.session.get(CSRF)
    return isinstance(own, str) and isinstance(sent, str) and hmac.compare_digest(own.encode(), sent.encode())


def local(address: str | None, otherwise: str = "/") -> str:
    """Return an address within the console as it is, any other replaced: no open redirect."""
    if address is None or not address.startswith("/") or address.startswith(("//", "/\\")) or not address.isprintable():
        return otherwise
    return otherwise if "\\" in address or urlsplit(address).netloc else address

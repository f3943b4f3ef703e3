"""The development sign-in as a process: python -m tools.local.sign_in --home HOME --port PORT, on loopback only.

In a container it listens on all addresses of the container, which publishes it on loopback: --published ADDRESS.
"""

from __future__ import annotations

import argparse
import base64
import socket
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, Response
from starlette.middleware.trustedhost import TrustedHostMiddleware

from tools.client import tokens
from tools.client.development import LOOPBACK
from tools.local.sign_in import page
from tools.local.sign_in.provider import Provider, Unusable, html

BODY_LIMIT = 65_536
CSS = Path(__file__).with_name("page.css")


def make(home: Path, port: int, published: str | None = None) -> FastAPI:
    """Compose the application. Raises SystemExit where there is no local stack.

    `published` is the address at which browsers reach it, where its own is that of a container.
    """
    if not (home / tokens.KEY_FILE).exists():
        sys.exit(f"{home} is no home of a local stack: the development sign-in runs with one alone.")
    own = socket.gethostname() if published else LOOPBACK[0]
    app, provider = FastAPI(openapi_url=None), Provider(home, f"http://{own}:{port}", published)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, own])
    app.add_api_route("/.well-known/openid-configuration", provider.discovery)
    app.add_api_route("/jwks.json", provider.jwks)
    app.add_api_route("/page.css", lambda: FileResponse(CSS, media_type="text/css"))
    for path, method, answer in (
        ("/authorize", "GET", provider.authorize),
        ("/authorize", "POST", provider.choose),
        ("/token", "POST", provider.token),
        ("/end-session", "GET", provider.end_session),
    ):

        async def endpoint(request: Request, answer: Any = answer) -> Response:
            try:
                response: Response = answer(await _parameters(request))
            except Unusable as fault:
                return html(page.notice("This sign-in cannot be used", str(fault)), status=400)
            return response

        app.add_route(path, endpoint, methods=[method])
    return app


async def _parameters(request: Request) -> dict[str, str]:
    """Return the parameters of a query or form. Raises Unusable where one is given twice, or there is too much."""
    raw = request.scope["query_string"]
    if request.method == "POST":
        raw = b"".join([chunk async for chunk in request.stream()])
    if len(raw) > BODY_LIMIT:
        raise Unusable("The request is too long.")
    pairs = parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True)
    if len(dict(pairs)) < len(pairs):
        raise Unusable("A parameter is given twice.")
    basic = request.headers.get("Authorization", "").partition("Basic ")[2]
    if basic and "client_id" not in dict(pairs):
        return dict(pairs) | {"client_id": unquote(base64.b64decode(basic + "==").decode("latin-1").partition(":")[0])}
    return dict(pairs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--published", metavar="ADDRESS", help="on loopback, where this runs in a container")
    arguments = parser.parse_args()
    for host in (arguments.host, urlsplit(arguments.published or f"//{LOOPBACK[0]}").hostname):
        if host not in LOOPBACK:
            sys.exit(f"{host} is not loopback: the development sign-in is for this machine alone.")
    app = make(arguments.home, arguments.port, arguments.published)
    host = "" if arguments.published else arguments.host
    uvicorn.run(app, host=host, port=arguments.port, log_level="warning", timeout_graceful_shutdown=2)

"""Pages rendered without services, from traces composed in memory, and read as a browser parses them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from functools import cache
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import httpx2
import orjson
import tinyhtml5
from cryptography.fernet import Fernet
from fastapi import FastAPI
from starlette.requests import Request

from shared.events.services import SERVICES
from tests.cli.record_in_memory import TODAY
from tools.console.app import make_app
from tools.console.pages.traces import content_of
from tools.console.person import Person
from tools.console.services import Services, make_client
from tools.console.settings import ConsoleSettings
from tools.console.trace.provenance import Behind
from tools.console.trace.view import TraceView
from tools.console.trace.window import Window

_INLINE = frozenset({"a", "bdi", "span", "strong", "ins", "del", "code", "time"})
ADDRESS = "http://127.0.0.1:8080"
CSRF = "synthetic-csrf"


@cache
def an_app() -> FastAPI:
    """Return the console's application; nothing connects before it is started."""
    return make_app(
        ConsoleSettings(
            address=ADDRESS,
            services=dict.fromkeys(SERVICES, ADDRESS),
            issuer="http://127.0.0.1:1",
            keys=Fernet.generate_key().decode(),
        )
    )


@cache
def a_client() -> httpx2.AsyncClient:
    """Return connections that no page opens."""
    return make_client()


def a_request(path: str, query: str = "", role: str = "secretariat", **parts: str) -> Request:
    """Return a request of a person of a role."""
    person = {"token": "", "name": "Synthetic Officer", "actor": "synthetic", "role": role}
    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "headers": [], "session": {"person": person}, "app": an_app(), "path_params": parts, "state": {},
    }  # fmt: skip
    request = Request(scope)
    request.state.services = Services(a_client(), {}, "")
    request.state.person = Person(**person)
    return request


def a_visit(path: str, answers: Mapping[str, Any], query: str = "", role: str = "secretariat", **parts: str) -> Request:
    """Return a request whose services give made-up answers by path: JSON, or the status of a problem.

    A path that is not among them is not on record; the answer None is a service that is down.
    """

    def answer(sent: httpx2.Request) -> httpx2.Response:
        given = answers.get(sent.url.path, 404)
        if given is None:
            raise httpx2.ConnectError("down")
        if isinstance(given, int):
            return httpx2.Response(given, json={"rule": "Synthetic", "detail": "Synthetic refusal", "status": given})
        return httpx2.Response(200, json=given)

    request = a_request(path, query, role, **parts)
    client = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    request.state.services = Services(client, dict.fromkeys(SERVICES, ADDRESS), "")
    return request


@asynccontextmanager
async def a_session(
    answer: Callable[[httpx2.Request], httpx2.Response],
    role: str = "secretariat",
    name: str = "Synthetic Officer",
    **more: Any,
) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield connections of a person signed in to the console, whose services answer by a function.

    The session holds more where it is given.
    """
    app = an_app()
    app.state.client = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    person = {"token": "synthetic", "name": name, "actor": "synthetic", "role": role}
    session = orjson.dumps({"person": person, "csrf": CSRF, "until": int(time.time() + 3_600)} | more)
    cookies = {"throughline": app.state.settings.cipher().encrypt(session).decode()}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=ADDRESS, cookies=cookies) as client:
        yield client


def trace_page(
    trace: dict[str, Any],
    *,
    today: dict[str, Any] = TODAY,
    window: Window = Window(),
    events: Sequence[Behind] = (),
    role: str = "secretariat",
    query: str = "",
) -> str:
    """Return the HTML of the page of a trace."""
    committee, year, number = trace["recommendation"]["reference"].split("/")
    path = f"/traces/{committee}/{year}/{number}"
    request = a_request(path, query, role, committee=committee, year=year, number=number)
    shown = TraceView(trace, today, window, events)
    return str(an_app().state.renderer.text(request, "trace.html", **content_of(request, shown)))


def parsed(html: str) -> Element:
    """Return the document that a browser makes of HTML."""
    document: Element = tinyhtml5.parse(html)
    return document


def elements(document: Element, name: str) -> Iterator[Element]:
    """Yield the elements of a name, those of drawings too."""
    for element in document.iter():
        if isinstance(element.tag, str) and element.tag.rpartition("}")[2] == name:
            yield element


def text_of(document: Element) -> str:
    """Return the text of a document on one line, what stands in one block apart from the next."""
    spaced = deepcopy(document)
    for element in list(spaced.iter()):
        if isinstance(element.tag, str) and element.tag.rpartition("}")[2] not in _INLINE:
            SubElement(element, "space").text = " "
    return " ".join("".join(spaced.itertext()).split())

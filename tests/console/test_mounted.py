"""The console under a path of its front's: pages, redirections and sign-in lead back under it, by IPv4 and IPv6."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx2
import pytest
from cryptography.fernet import Fernet
from starlette.responses import HTMLResponse, RedirectResponse, StreamingResponse
from starlette.types import ASGIApp

from shared.events.services import SERVICES
from tests.console.rendered import parsed
from tests.patience import until
from tools.console.app import make_app
from tools.console.mounted import Mounted
from tools.console.settings import ConsoleSettings
from tools.local.ports import choose

ADDRESS = "https://example.org/throughline"


def client_of(app: ASGIApp) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://synthetic")


@asynccontextmanager
async def visiting(address: str) -> AsyncIterator[httpx2.AsyncClient]:
    app = make_app(a_console(address))
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield client


def a_console(address: str) -> ConsoleSettings:
    return ConsoleSettings(
        address=address,
        services=dict.fromkeys(SERVICES, "http://127.0.0.1:1"),
        issuer="http://127.0.0.1:1",
        keys=Fernet.generate_key().decode(),
    )


async def test_every_address_of_a_page_is_under_the_path() -> None:
    async with visiting(ADDRESS) as client:
        led = await client.get("/nominations?stage=submitted")
        page = await client.get("/preferences")
        style = await client.get("/static/throughline.css")
    assert led.headers["location"].startswith("/throughline/sign-in?next=%2Fnominations")
    addresses = [
        each.get(name, "")
        for each in parsed(page.text).iter()
        for name in ("href", "src", "action", "formaction", "hx-get")
        if each.get(name, "").startswith("/")
    ]
    assert len(addresses) > 5
    assert all(address.startswith("/throughline/") for address in addresses)
    assert int(page.headers["content-length"]) == len(page.content)
    assert style.status_code == 200


async def test_without_a_path_nothing_is_changed() -> None:
    async with visiting("https://example.org") as client:
        assert 'href="/static/' in (await client.get("/preferences")).text


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        (HTMLResponse('<a href="/a">/b</a><a href="//c">'), '<a href="/x/a">/b</a><a href="//c">'),
        (HTMLResponse("<p>&#34; href=&#34;/a&#34;</p>"), "<p>&#34; href=&#34;/a&#34;</p>"),
        (StreamingResponse(iter(['<a hr', 'ef="/a">']), media_type="text/html"), '<a href="/x/a">'),
        (StreamingResponse(iter(['<a href="/a">']), media_type="text/plain"), '<a href="/a">'),
    ],
)  # fmt: skip
async def test_only_addresses_in_pages_are_changed(sent: ASGIApp, received: str) -> None:
    async with client_of(Mounted(sent, "/x")) as client:
        answer = await client.get("/")
    assert answer.text == received


async def test_only_local_redirections_are_changed() -> None:
    for to, location in (("/a?b=/c", "/x/a?b=/c"), ("https://example.org/", "https://example.org/")):
        async with client_of(Mounted(RedirectResponse(to), "/x")) as client:
            assert (await client.get("/")).headers["location"] == location


@contextmanager
def console(port: int, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    given = {
        "ADDRESS": f"http://127.0.0.1:{port}", "SERVICES": json.dumps(dict.fromkeys(SERVICES, "http://127.0.0.1:1")),
        "ISSUER": "http://127.0.0.1:1", "KEYS": Fernet.generate_key().decode(), "PORT": str(port),
    }  # fmt: skip
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("THROUGHLINE_")}
    environment = inherited | {f"THROUGHLINE_CONSOLE_{name}": value for name, value in (given | settings).items()}
    with subprocess.Popen([sys.executable, "-m", "tools.console"], env=environment) as process:
        try:
            yield process
        finally:
            process.terminate()


def answers(address: str) -> bool:
    try:
        return httpx2.get(address, trust_env=False).text == "alive"
    except httpx2.TransportError:
        return False


@pytest.mark.slow
def test_an_empty_host_listens_on_both_families() -> None:
    port = choose(())
    with console(port, HOST=""):
        until(lambda: answers(f"http://127.0.0.1:{port}/healthz"))
        assert answers(f"http://[::1]:{port}/healthz")

"""The page about the API is whole without any other host, and its policy allows none."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx2
import pytest

from shared.runtime.settings import Settings
from tests.http.attacked import ACTOR_KEY, make


@pytest.fixture
async def web() -> AsyncIterator[httpx2.AsyncClient]:
    settings = Settings(
        kafka="127.0.0.1:1", mongodb="mongodb://127.0.0.1:1", database="synthetic", jwks="none", actor_key=ACTOR_KEY
    )
    transport = httpx2.ASGITransport(make(settings))
    async with httpx2.AsyncClient(transport=transport, base_url="http://synthetic") as client:
        yield client


async def test_the_page_loads_its_parts_from_the_service_alone(web: httpx2.AsyncClient) -> None:
    page = await web.get("/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    parts = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert "//" not in page.text
    assert not re.search(r"<script>|<style>|style=| on[a-z]+=", page.text)
    loaded = [part for part in parts if not part.startswith("data:")]
    assert len(loaded) == 3
    for part in loaded:
        answer = await web.get(f"/{part}")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/css" if part.endswith(".css") else "text/javascript")
    assert (await web.get("/docs/start.js")).text.startswith('SwaggerUIBundle({url: "openapi.json"')
    assert (await web.get("/openapi.json")).json()["info"]["title"] == "Throughline meetings"


@pytest.mark.parametrize("path", ["/docs", "/docs/start.js", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js"])
async def test_the_policy_forbids_every_other_host(path: str, web: httpx2.AsyncClient) -> None:
    headers = (await web.get(path)).headers
    policy = dict(each.strip().split(" ", 1) for each in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert {word for sources in policy.values() for word in sources.split()} == {
        "'none'", "'self'", "'unsafe-inline'", "data:",
    }  # fmt: skip
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/docs/redoc.standalone.js", "/docs/..%2Fcore.py", "/docs/x", "/redoc", "/docs/"])
async def test_nothing_else_of_the_package_is_served(path: str, web: httpx2.AsyncClient) -> None:
    assert (await web.get(path, follow_redirects=False)).status_code in {308, 404}

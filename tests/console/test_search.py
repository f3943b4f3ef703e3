"""The page of search: matches of all services by kind, marked by pieces, whatever is typed and whatever is down."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from html import unescape
from typing import Any

import httpx2
import orjson
import pytest
from cryptography.fernet import Fernet

from tests.http.asking import Caller, accepted, draft, meeting, new_id, nomination
from tests.patience import AT_MOST_SECONDS
from tools.client.tokens import mint
from tools.console.app import make_app
from tools.console.pages.search import grouped, pieces
from tools.console.settings import ConsoleSettings
from tools.local.stack import Stack

servers = pytest.mark.servers
MARKUP = "<script>alert(1)</script>"


def item(kind: str, stream: str, rank: int, **more: Any) -> dict[str, Any]:
    marks: dict[str, Any] = {"title": [], "extract": []}
    return {
        "kind": kind, "stream": stream, "title": "Synthetic", "names": [stream], "stage": "drafted", "extract": "",
        "marks": marks, "rank": rank,
    } | more  # fmt: skip


def test_a_text_in_pieces_is_the_text() -> None:
    text = "The Disaster, risk"
    shown = list(pieces(text, [[4, 12], [14, 18]]))
    assert [piece for piece, is_match in shown if is_match] == ["Disaster", "risk"]
    assert "".join(piece for piece, _ in shown) == text
    assert list(pieces("", [])) == [("", False)]


def test_the_kind_with_the_best_match_comes_first_and_each_group_by_rank() -> None:
    one = {"items": [item("meeting", "meeting/a", 2), item("meeting", "meeting/b", 3)]}
    other = {"items": [item("instrument", "instrument/c", 0), item("provision", "instrument/c", 3, key="c/op-1")]}
    groups = grouped([one, other])
    assert list(groups) == ["instrument", "meeting", "provision"]
    assert [hit.key for hit in groups["meeting"]] == ["a", "b"]
    assert groups["provision"][0].key == "c/op-1"


@pytest.fixture
def officer(stack: Stack) -> Iterator[Caller]:
    """An officer with a token of its own."""
    with httpx2.Client(timeout=AT_MOST_SECONDS, trust_env=False) as web:
        yield Caller(stack, web)


def settings_of(urls: dict[str, str], key: str) -> ConsoleSettings:
    return ConsoleSettings.model_validate(
        {"address": "http://127.0.0.1:8080", "services": urls, "keys": key, "issuer": "http://127.0.0.1:9"}
    )


async def console(stack: Stack, urls: dict[str, str], role: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of the console, signed in, whose services have these addresses."""
    key = Fernet.generate_key().decode()
    token = mint(stack.home, role=role, subject=new_id("actor"))
    person = {"token": token, "name": "Synthetic Officer", "actor": "synthetic", "role": role}
    session = {"person": person | {"member": None, "expert": None}, "until": int(time.time() + 3600), "csrf": "x" * 32}
    app = make_app(settings_of(urls, key))
    async with AsyncExitStack() as running:
        await running.enter_async_context(app.router.lifespan_context(app))
        transport = httpx2.ASGITransport(app)
        web = httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=60)
        web.cookies.set("throughline", Fernet(key).encrypt(orjson.dumps(session)).decode())
        yield await running.enter_async_context(web)


@servers
async def test_the_page_shows_the_matches_of_all_services_marked_and_escaped(officer: Caller) -> None:
    asking, stack, word = officer, officer.stack, new_id("w").replace("-", "")
    body = draft(title=f"On {word} {MARKUP}", text=f"It invites <b>{word}</b> \u202eabc & more.")
    accepted(asking.post("recommendations", "/recommendations", body))
    accepted(asking.post("meetings", "/meetings", meeting(key := new_id("meeting"), title=f"Meeting {word}")))
    accepted(asking.post("nominations", "/nominations", nomination(key, institution=f"Institute {word}")))
    for service, path in (
        ("recommendations", f"/recommendations/{body['reference']}"), ("meetings", f"/meetings/{key}"),
        ("nominations", f"/nominations/{key}"),
    ):  # fmt: skip
        assert asking.get(service, path, at_least=1, wait=20).status_code == 200
    async for page in console(stack, dict(stack.urls), "secretariat"):
        answer = await page.get("/search", params={"q": word})
        assert answer.status_code == 200
        assert answer.text.count(f"<mark>{word}</mark>") == 4
        assert MARKUP not in answer.text
        assert MARKUP in unescape(answer.text)
        assert f'href="/recommendations/{body["reference"]}"' in answer.text
        assert "3 matches" in answer.text
        only = await page.get("/search", params={"q": word, "kind": "meeting"})
        assert f"/meetings/{key}" in only.text
        assert body["reference"] not in only.text
        for text in (MARKUP, '"><img src=x>', "é" * 500, "\u202e" * 9, "$where", "=?utf-8?q?x?="):
            shown = await page.get("/search", params={"q": text})
            assert shown.status_code == 200, text
            assert MARKUP not in shown.text
        short = await page.get("/search", params={"q": "."})
        assert "two letters or digits" in short.text
        home = await page.get("/preferences")
        assert 'action="/search"' in home.text
        assert 'for="search-all"' in home.text


@servers
async def test_the_page_says_which_service_is_missing_and_shows_the_others(officer: Caller) -> None:
    asking, stack, word, key = officer, officer.stack, new_id("w").replace("-", ""), new_id("meeting")
    accepted(asking.post("meetings", "/meetings", meeting(key, title=f"Meeting {word}")))
    assert asking.get("meetings", f"/meetings/{key}", at_least=1, wait=20).status_code == 200
    urls = dict(stack.urls) | {"recommendations": "http://127.0.0.1:9"}
    async for page in console(stack, urls, "secretariat"):
        answer = await page.get("/search", params={"q": word})
        assert answer.status_code == 200
        assert "Missing: the service recommendations does not answer." in answer.text
        assert f"/meetings/{key}" in answer.text

"""Sessions in cookies: encrypted, cut where they are long, ended in time, read by every console with the key."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx2
import pytest
from cryptography.fernet import Fernet, MultiFernet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tools.console.sessions import CHUNK, CHUNKS, Sessions, fits

OLD, NEW = Fernet.generate_key(), Fernet.generate_key()


def console(*keys: bytes, seconds: float = 3_600, secure: bool = False) -> httpx2.AsyncClient:
    async def put(request: Request) -> JSONResponse:
        request.session.update(await request.json())
        return JSONResponse({})

    async def get(request: Request) -> JSONResponse:
        return JSONResponse(request.session)

    async def clear(request: Request) -> JSONResponse:
        request.session.clear()
        return JSONResponse({})

    app = Starlette(routes=[Route("/put", put, methods=["POST"]), Route("/get", get), Route("/clear", clear)])
    cipher = MultiFernet([Fernet(key) for key in keys])
    behind = Sessions(app, cipher=cipher, seconds=seconds, secure=secure)
    scheme = "https" if secure else "http"
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(behind), base_url=f"{scheme}://synthetic")


async def session_of(web: httpx2.AsyncClient, cookies: dict[str, str]) -> Any:
    web.cookies = httpx2.Cookies(cookies)
    return (await web.get("/get")).json()


@pytest.mark.parametrize("size", [1, CHUNK, CHUNK * 3])
async def test_a_session_of_any_size_comes_back_to_every_console_with_the_key(size: int) -> None:
    async with console(OLD) as web, console(NEW, OLD) as other:
        await web.post("/put", json={"text": "x" * size})
        cookies = dict(web.cookies)
        assert all(len(value) <= CHUNK and "x" * 8 not in value for value in cookies.values())
        assert await session_of(other, cookies) == {"text": "x" * size}


async def test_a_shorter_session_leaves_no_piece_of_the_longer_one() -> None:
    async with console(OLD) as web:
        await web.post("/put", json={"text": "x" * CHUNK * 2})
        assert len(web.cookies) > 2
        await web.post("/put", json={"text": "y"})
        assert len(web.cookies) == 1
        assert (await web.get("/get")).json() == {"text": "y"}
        await web.get("/clear")
        assert len(web.cookies) == 0


@pytest.mark.parametrize("harm", ["another key", "cut", "changed", "no token", "not a cookie"])
async def test_what_cannot_be_decrypted_is_no_session(harm: str) -> None:
    async with console(OLD) as web, console(NEW) as other:
        await web.post("/put", json={"person": "synthetic"})
        [(name, token)] = dict(web.cookies).items()
        harmed = {"cut": token[:-3], "changed": token[:20] + ("A" if token[20] != "A" else "B") + token[21:]}
        harmed |= {"another key": token, "no token": "synthetic", "not a cookie": "\x7f==;"}
        assert await session_of(other if harm == "another key" else web, {name: harmed[harm]}) == {}


async def test_a_session_ends_when_it_says_and_when_it_is_too_old() -> None:
    async with console(OLD) as web, console(OLD, seconds=0) as strict:
        await web.post("/put", json={"until": time.time() - 1})
        assert (await web.get("/get")).json() == {}
        web.cookies.clear()
        await web.post("/put", json={"until": time.time() + 60})
        cookies = dict(web.cookies)
        assert await session_of(web, cookies) != {}
        await asyncio.sleep(1.1)
        assert await session_of(strict, cookies) == {}


async def test_a_secure_cookie_is_bound_to_its_host() -> None:
    async with console(OLD, secure=True) as web:
        header = (await web.post("/put", json={"a": 1})).headers["set-cookie"]
    assert header.startswith("__Host-throughline=")
    for attribute in ("HttpOnly", "SameSite=Lax", "Secure", "Path=/"):
        assert f"; {attribute}" in header
    assert "Domain" not in header


async def test_an_unchanged_session_sets_no_cookie() -> None:
    async with console(OLD) as web:
        await web.post("/put", json={"a": 1})
        assert "set-cookie" not in (await web.get("/get")).headers


def test_a_session_fits_or_not() -> None:
    cipher = MultiFernet([Fernet(OLD)])
    assert fits({"text": "x" * CHUNK * 2}, cipher)
    assert not fits({"text": "x" * CHUNK * CHUNKS}, cipher)

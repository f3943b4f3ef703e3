"""The keys that tokens are checked against: rotated, away for a while, never there, over HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from shared.http import auth as identity
from shared.http.auth import Principal, Tokens
from shared.http.problems import Refused
from tools.client import tokens

CALLER = Principal("synthetic-actor", "chair")
PEER = "192.0.2.1"


def checked_by(jwks: str | Path) -> Tokens:
    return Tokens("meetings", str(jwks), tokens.ISSUER, tokens.AUDIENCE)


def minted(home: Path) -> str:
    return tokens.mint(home, role="chair", subject="synthetic-actor")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a key of its own."""
    tokens.make_key(tmp_path)
    return tmp_path


def rotate(home: Path) -> None:
    (home / tokens.KEY_FILE).unlink()
    tokens.make_key(home)


async def test_a_token_of_a_key_that_was_added_since_is_accepted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "REFRESH_AT_MOST_EVERY_SECONDS", 0.0)
    checks, before = checked_by(home / tokens.JWKS_FILE), minted(home)
    assert await checks.check(before, PEER) == CALLER
    rotate(home)
    assert await checks.check(minted(home), PEER) == CALLER
    with pytest.raises(Refused) as refused:
        await checks.check(before, PEER)
    assert (refused.value.status, refused.value.rule) == (401, "TokenNotAccepted")


async def test_unknown_keys_do_not_make_a_service_read_its_keys_all_the_time(home: Path) -> None:
    checks = checked_by(home / tokens.JWKS_FILE)
    assert await checks.check(minted(home), PEER) == CALLER
    rotate(home)
    with pytest.raises(Refused) as refused:
        await checks.check(minted(home), PEER)
    assert refused.value.status == 401


async def test_known_keys_serve_while_their_source_is_away(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "REFRESH_SECONDS", 0.0)
    checks, token = checked_by(home / tokens.JWKS_FILE), minted(home)
    assert await checks.check(token, PEER) == CALLER
    for broken in ("", "{", "[]", '{"keys": 1}', '{"keys": [{"kty": "none"}]}'):
        (home / tokens.JWKS_FILE).write_text(broken)
        assert await checks.check(token, PEER) == CALLER
    (home / tokens.JWKS_FILE).unlink()
    assert await checks.check(token, PEER) == CALLER


@pytest.mark.parametrize("jwks", ["/nowhere/jwks.json", "http://127.0.0.1:9/jwks.json"])
async def test_without_any_key_nobody_is_let_in_and_nobody_is_blamed(home: Path, jwks: str) -> None:
    with pytest.raises(Refused) as refused:
        await checked_by(jwks).check(minted(home), PEER)
    assert (refused.value.status, refused.value.rule) == (503, "KeysUnavailable")
    assert refused.value.headers["Retry-After"] == "5"


@pytest.fixture
def served(home: Path) -> Iterator[str]:
    """The folder over HTTP."""
    server = HTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(home)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


async def test_keys_are_read_over_http(home: Path, served: str) -> None:
    assert await checked_by(f"{served}/{tokens.JWKS_FILE}").check(minted(home), PEER) == CALLER
    with pytest.raises(Refused) as refused:
        await checked_by(f"{served}/nothing.json").check(minted(home), PEER)
    assert refused.value.status == 503


async def test_a_token_that_was_accepted_expires_all_the_same(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checks, token, now = checked_by(home / tokens.JWKS_FILE), minted(home), time.time()
    assert await checks.check(token, PEER) == CALLER
    monkeypatch.setattr(time, "time", lambda: now + 10 * 365 * 86_400)
    with pytest.raises(Refused) as refused:
        await checks.check(token, PEER)
    assert (refused.value.status, refused.value.rule) == (401, "TokenNotAccepted")

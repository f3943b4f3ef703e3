"""The keys that tokens are checked against: rotated, away for a while, never there, over HTTP."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from shared.domain.actors import actor_of
from shared.http import auth as identity
from shared.http.auth import Principal, Tokens
from shared.http.problems import Refused
from shared.runtime.settings import SignInSettings
from tests.http.attacked import ACTOR_KEY
from tools.client import tokens

CALLER = Principal(actor_of(ACTOR_KEY.encode(), tokens.ISSUER, "synthetic"), "chair")
PEER = "192.0.2.1"


def checked_by(jwks: str | Path) -> Tokens:
    return Tokens("meetings", SignInSettings(jwks=str(jwks), actor_key=ACTOR_KEY))


def minted(home: Path) -> str:
    return tokens.mint(home, role="chair", subject="synthetic")


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
    os.mkfifo(home / tokens.JWKS_FILE)
    assert await checks.check(token, PEER) == CALLER


@pytest.mark.parametrize("jwks", ["/nowhere/jwks.json", "http://127.0.0.1:9/jwks.json"])
async def test_without_any_key_nobody_is_let_in_and_nobody_is_blamed(home: Path, jwks: str) -> None:
    with pytest.raises(Refused) as refused:
        await checked_by(jwks).check(minted(home), PEER)
    assert (refused.value.status, refused.value.rule) == (503, "KeysUnavailable")
    assert refused.value.headers["Retry-After"] == "5"


UNUSABLE = {
    "an unknown curve": {"kty": "EC", "crv": "P-1024", "x": "AA", "y": "AA", "kid": "synthetic-key"},
    "an unknown type": {"kty": "synthetic", "kid": "synthetic-key"},
    "no type": {"kid": "synthetic-key"},
    "no object": "synthetic-key",
    "half a key": {"kty": "OKP", "crv": "Ed25519", "kid": "synthetic-key"},
    "a key too short": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "synthetic-key"},
    "a key for encryption": {"kty": "OKP", "crv": "X25519", "x": "A" * 43, "use": "enc", "kid": "synthetic-key"},
    "a shared secret": {"kty": "oct", "k": "c3ludGhldGlj", "kid": "synthetic-key"},
    "an algorithm that is not accepted": {
        "kty": "RSA",
        "n": "AQAB",
        "e": "AQAB",
        "alg": "RS512",
        "kid": "synthetic-key",
    },
}


@pytest.mark.parametrize("name", UNUSABLE)
async def test_a_key_that_cannot_be_used_spoils_no_other(name: str, home: Path) -> None:
    file, token = home / tokens.JWKS_FILE, minted(home)
    usable = json.loads(file.read_text())["keys"]
    file.write_text(json.dumps({"keys": [UNUSABLE[name], *usable]}))
    checks = checked_by(file)
    with capture_logs() as logged:
        assert await checks.check(token, PEER) == CALLER
    shown = "number 1" if name == "no object" else "synthetic-key"
    assert [(line["event"], line["key"]) for line in logged] == [("jwks_key_skipped", shown)]
    assert await checks.key_state() == ("", f"cannot be used, and are skipped: {shown}")


@pytest.mark.parametrize("name", UNUSABLE)
async def test_without_a_usable_key_nobody_is_let_in_and_readiness_says_so(name: str, home: Path) -> None:
    file, token = home / tokens.JWKS_FILE, minted(home)
    usable = file.read_text()
    file.write_text(json.dumps({"keys": [UNUSABLE[name]]}))
    checks = checked_by(file)
    assert await checks.key_state() == ("no key to check tokens with: none of its 1 keys can be used", "")
    with pytest.raises(Refused, match="tokens cannot be checked now"):
        await checks.check(token, PEER)
    file.write_text(usable)
    assert await checks.check(token, PEER) == CALLER
    assert await checks.key_state() == ("", "")


async def test_readiness_says_that_the_keys_are_old(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = checked_by(home / tokens.JWKS_FILE)
    assert await checks.key_state() == ("", "")
    monkeypatch.setattr(identity, "REFRESH_SECONDS", 0.0)
    (home / tokens.JWKS_FILE).write_text("[]")
    assert await checks.check(minted(home), PEER) == CALLER
    assert (await checks.key_state()).warning.startswith("not read again, the old ones are used")


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

"""Callers without a valid token are answered only so often; a token of no member is refused."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from shared.domain.members import MEMBERS
from shared.http.auth import FAILURES, Tokens
from shared.runtime.settings import Settings
from tests.http.asking import problem
from tests.http.attacked import ACTOR_KEY, make
from tests.patience import AT_MOST_SECONDS
from tools.client import tokens

PEER = "192.0.2.1"


class Refusals:
    """A list in the place of the database's collection."""

    def __init__(self) -> None:
        self.rules: list[str] = []

    async def record(self, _actor: str, _role: str, rule: str, **_more: Any) -> None:
        self.rules.append(rule)


class Service:
    """A service that checks real tokens, for callers of any address."""

    def __init__(self, home: Path, **more: Any) -> None:
        tokens.make_key(home)
        self.home, self.refusals = home, Refusals()
        jwks = str(home / tokens.JWKS_FILE)
        given = {"kafka": "127.0.0.1:1", "mongodb": "mongodb://127.0.0.1:1", "database": "synthetic", "jwks": jwks}
        self._app = make(Settings(**given, actor_key=ACTOR_KEY, **more))
        self._app.state.refusals = self.refusals
        self.tokens: Tokens = self._app.state.tokens

    async def get(self, token: str | None = None, address: str = PEER) -> httpx2.Response:
        transport = httpx2.ASGITransport(self._app, client=(address, 1))
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(transport=transport, base_url="http://synthetic") as web:
            return await web.get("/guarded", headers=headers)

    def token(self, role: str | None = "secretariat", subject: str = "synthetic", **more: Any) -> str:
        return tokens.mint(self.home, role=role, subject=subject, **more)


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("bad", [None, "garbage", "expired"])
async def test_an_address_that_fails_too_often_waits(bad: str | None, service: Service) -> None:
    known, unknown = service.token(), service.token()
    assert (await service.get(known)).status_code == 200
    token = service.token(lifetime=timedelta(minutes=-5)) if bad == "expired" else bad
    for _ in range(FAILURES):
        problem(await service.get(token), 401, "TokenNotAccepted")
    answer = await service.get(token)
    assert "500 requests without a valid token" in problem(answer, 429, "TooManyFailures")["detail"]
    assert (answer.headers["Retry-After"], answer.headers["Connection"]) == ("10", "close")
    problem(await service.get(unknown), 429, "TooManyFailures")
    assert (await service.get(known)).status_code == 200, "a verified token keeps working"
    assert (await service.get(unknown, "192.0.2.2")).status_code == 200, "another address does not wait"


@pytest.mark.slow
async def test_an_address_may_fail_again_after_a_while(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.http.auth.FAILURES", 3)
    monkeypatch.setattr("shared.http.auth.FAILURES_SECONDS", 1.0)
    short = Service(service.home)
    until = time.monotonic() + AT_MOST_SECONDS
    for status in (429, 401):
        while (await short.get()).status_code != status:
            assert time.monotonic() < until


@pytest.mark.parametrize("member", ["XXX", "BRA", "AAA"])
async def test_a_token_of_no_member_is_refused(member: str, service: Service) -> None:
    assert member not in MEMBERS
    answer = await service.get(service.token("focal_point", member=member))
    assert f"the token's member {member} is neither" in problem(answer, 403, "TokenOfNoMember")["detail"]
    assert service.refusals.rules == ["TokenOfNoMember"]


@pytest.mark.parametrize("member", ["FJI", "GUM"])
async def test_a_token_of_a_member_or_associate_member_is_accepted(member: str, service: Service) -> None:
    assert (await service.get(service.token("focal_point", member=member))).status_code == 200
    assert service.refusals.rules == []


@pytest.mark.parametrize(
    ("role", "expert", "named"),
    [("expert", "synthetic-person", "synthetic-person"), ("expert", None, None), ("chair", "synthetic-person", None)],
)
async def test_the_token_of_an_expert_says_which_person_it_is(
    role: str, expert: str | None, named: str | None, tmp_path: Path
) -> None:
    service = Service(tmp_path)
    caller = await service.tokens.check(service.token(role, expert=expert), PEER)
    assert (caller.role, caller.expert) == (role, named)

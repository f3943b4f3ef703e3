"""A request without a valid token is refused, and its answer says no more than that."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx2
import pytest

from tests.http.asking import Records, problem
from tests.http.forged import FORGED, SUBJECT, WITHOUT_ROLE, signed
from tools.client import tokens
from tools.local.stack import Stack

pytestmark = pytest.mark.servers


def refused_as_unknown(answer: httpx2.Response) -> dict[str, Any]:
    document = problem(answer, 401, "TokenNotAccepted")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="throughline"'
    return document


@pytest.mark.parametrize("name", FORGED)
def test_a_token_that_does_not_hold_is_refused(
    name: str, stack: Stack, web: httpx2.Client, records: Records, problem_without_a_token: dict[str, Any]
) -> None:
    token = FORGED[name](stack)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "synthetic-key"}
    url = stack.urls["meetings"]
    for answer in (
        web.post(f"{url}/meetings", headers=headers, json={"broken": 1}),
        web.post(f"{url}/meetings", headers=headers, content=b"{"),
        web.get(f"{url}/meetings", headers=headers),
    ):
        assert refused_as_unknown(answer) == problem_without_a_token
    assert_nothing_is_stored(stack, records)


def assert_nothing_is_stored(stack: Stack, records: Records) -> None:
    for actor in (SUBJECT, tokens.actor(stack.home, SUBJECT)):
        assert records.commits("meetings", actor=actor) == []
        assert records.refusals("meetings", actor=actor) == []


@pytest.mark.parametrize("name", WITHOUT_ROLE)
def test_a_caller_of_whom_nobody_says_what_it_is_is_refused_by_name(
    name: str, stack: Stack, web: httpx2.Client, records: Records
) -> None:
    rule, forge = WITHOUT_ROLE[name]
    headers = {"Authorization": f"Bearer {forge(stack)}", "Idempotency-Key": "synthetic-key"}
    answer = web.post(f"{stack.urls['meetings']}/meetings", headers=headers, json={"broken": 1})
    assert "ask whoever administers" in problem(answer, 403, rule)["detail"]
    assert_nothing_is_stored(stack, records)


@pytest.fixture
def problem_without_a_token(stack: Stack, web: httpx2.Client) -> dict[str, Any]:
    """The problem of a request without a token, which every request with an invalid token must get too."""
    return refused_as_unknown(web.get(f"{stack.urls['meetings']}/meetings"))


@pytest.mark.parametrize("header", ["Basic c3ludGhldGlj", "Bearer", "bearer-synthetic", "Digest x"])
def test_a_header_without_a_bearer_token_is_refused(header: str, stack: Stack, web: httpx2.Client) -> None:
    refused_as_unknown(web.get(f"{stack.urls['nominations']}/calls", headers={"Authorization": header}))


def test_the_same_token_unforged_is_let_in(stack: Stack, web: httpx2.Client) -> None:
    for forge in (signed(), signed(aud=["another", tokens.AUDIENCE]), signed(role="focal_point", member="FJI")):
        headers = {"Authorization": f"Bearer {forge(stack)}"}
        assert web.get(f"{stack.urls['nominations']}/calls", headers=headers).status_code == 200


def test_the_unauthenticated_are_counted_and_logged_without_their_token(stack: Stack, web: httpx2.Client) -> None:
    url, secret = stack.urls["notifications"], "synthetic-secret-token"
    before = counted(web, url, "DecodeError")
    answer = web.get(f"{url}/subscriptions", headers={"Authorization": f"Bearer {secret}"})
    refused_as_unknown(answer)
    assert counted(web, url, "DecodeError") == before + 1
    lines = (stack.home / "logs/notifications.log").read_text().splitlines()
    logged = [json.loads(line) for line in lines if answer.headers["X-Correlation-Id"] in line]
    assert [(line["event"], line["reason"]) for line in logged] == [("unauthenticated", "DecodeError")]
    assert all(secret not in line for line in lines)


def counted(web: httpx2.Client, url: str, reason: str) -> float:
    series = rf'^throughline_unauthenticated_total{{reason="{reason}",service="notifications"}} (\S+)$'
    match = re.search(series, web.get(f"{url}/metrics").text, re.MULTILINE)
    return float(match.group(1)) if match else 0.0

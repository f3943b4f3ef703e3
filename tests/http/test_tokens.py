"""Who is not who a valid token says is not let in, and learns no more than that."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from joserfc import jws, jwt
from joserfc.jwk import OKPKey

from tests.http.asking import Records, problem
from tools.local import tokens
from tools.local.files import read_json
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
ACTOR = "actor-behind-a-bad-token"
Forge = Callable[[Stack], str]


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a good token of the secretariat, changed; None leaves one out."""
    now = datetime.now(UTC)
    good = {
        "iss": tokens.ISSUER,
        "aud": tokens.AUDIENCE,
        "sub": ACTOR,
        "role": "secretariat",
        "nbf": now - timedelta(minutes=1),
        "exp": now + timedelta(hours=1),
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def key_of(stack: Stack) -> OKPKey:
    return OKPKey.import_key(read_json(stack.token_key))


def signed(**changes: Any) -> Forge:
    """A token of the right key with other claims."""

    def forge(stack: Stack) -> str:
        key = key_of(stack)
        return jwt.encode({"alg": "Ed25519", "kid": key.kid}, claims(**changes), key, algorithms=["Ed25519"])

    return forge


def with_header(**header: Any) -> Forge:
    """A good token whose header was exchanged; its signature does not hold."""

    def forge(stack: Stack) -> str:
        _, body, signature = signed()(stack).split(".")
        told = json.dumps({"alg": "Ed25519", "kid": key_of(stack).kid} | header).encode()
        return f"{encoded(told)}.{body}.{signature}"

    return forge


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def unsigned(stack: Stack) -> str:
    header, body, _ = with_header(alg="none")(stack).split(".")
    return f"{header}.{body}."


def by_another_key(stack: Stack) -> str:
    other = OKPKey.generate_key("Ed25519", {"kid": key_of(stack).kid})
    return jwt.encode({"alg": "Ed25519", "kid": other.kid}, claims(), other, algorithms=["Ed25519"])


def by_the_public_key_as_a_secret(form: Callable[[OKPKey], bytes]) -> Forge:
    def forge(stack: Stack) -> str:
        message = with_header(alg="HS256")(stack).rpartition(".")[0]
        return f"{message}.{encoded(hmac.new(form(key_of(stack)), message.encode(), hashlib.sha256).digest())}"

    return forge


def tampered(stack: Stack) -> str:
    header, _, signature = signed(role="auditor")(stack).split(".")
    return ".".join([header, signed()(stack).split(".")[1], signature])


def not_claims(payload: bytes) -> Forge:
    def forge(stack: Stack) -> str:
        key = key_of(stack)
        return jws.serialize_compact({"alg": "Ed25519", "kid": key.kid}, payload, key, algorithms=["Ed25519"])

    return forge


PAST = datetime.now(UTC) - timedelta(hours=1)
FORGED: dict[str, Forge] = {
    "garbage": lambda _: "garbage",
    "three parts of garbage": lambda _: "a.b.c",
    "expired": signed(exp=PAST),
    "not yet valid": signed(nbf=datetime.now(UTC) + timedelta(hours=1)),
    "without an expiry": signed(exp=None),
    "another key": by_another_key,
    "no signature": unsigned,
    "no signature, signed so": with_header(alg="none"),
    "HS256 with the public key as PEM": by_the_public_key_as_a_secret(lambda key: key.as_pem(private=False)),
    "HS256 with the public key as JWK": by_the_public_key_as_a_secret(lambda key: key.as_dict()["x"].encode()),
    "another key id": with_header(kid="unknown"),
    "a header that is nonsense": with_header(crit=5),
    "another role put in": tampered,
    "another issuer": signed(iss="somebody-else"),
    "another audience": signed(aud="another-product"),
    "no subject": signed(sub=None),
    "a subject longer than an actor may be": signed(sub="x" * 101),
    "a subject with a line break": signed(sub="a\nb"),
    "no role": signed(role=None),
    "an unknown role": signed(role="minister"),
    "several roles": signed(role=["secretariat"]),
    "the role of the system": signed(role="system"),
    "a focal point of no member": signed(role="focal_point"),
    "a focal point of many members": signed(role="focal_point", member=["FJI", "TUV"]),
    "a focal point of no code": signed(role="focal_point", member=""),
    "claims that are a list": not_claims(b"[1]"),
    "claims that are no JSON": not_claims(b"{"),
    "claims that never end": not_claims(b'{"exp":' + b"[" * 5_000),
}


def refused_as_unknown(answer: httpx.Response) -> dict[str, Any]:
    told = problem(answer, 401, "TokenNotAccepted")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="throughline"'
    return told


@pytest.mark.parametrize("name", FORGED)
def test_a_token_that_does_not_hold_is_refused(
    name: str, stack: Stack, web: httpx.Client, records: Records, told_without_a_token: dict[str, Any]
) -> None:
    token = FORGED[name](stack)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "synthetic-key"}
    url = stack.urls["meetings"]
    for answer in (
        web.post(f"{url}/meetings", headers=headers, json={"broken": 1}),
        web.post(f"{url}/meetings", headers=headers, content=b"{"),
        web.get(f"{url}/meetings", headers=headers),
    ):
        assert refused_as_unknown(answer) == told_without_a_token
    assert records.commits("meetings", actor=ACTOR) == []
    assert records.refusals("meetings", actor=ACTOR) == []


@pytest.fixture
def told_without_a_token(stack: Stack, web: httpx.Client) -> dict[str, Any]:
    """What a caller without a token is told, and so every other whose token does not hold."""
    return refused_as_unknown(web.get(f"{stack.urls['meetings']}/meetings"))


@pytest.mark.parametrize("header", ["Basic c3ludGhldGlj", "Bearer", "bearer-synthetic", "Digest x"])
def test_what_is_no_bearer_token_is_refused(header: str, stack: Stack, web: httpx.Client) -> None:
    refused_as_unknown(web.get(f"{stack.urls['nominations']}/calls", headers={"Authorization": header}))


def test_the_same_token_unforged_is_let_in(stack: Stack, web: httpx.Client) -> None:
    for forge in (signed(), signed(aud=["another", tokens.AUDIENCE]), signed(role="focal_point", member="FJI")):
        headers = {"Authorization": f"Bearer {forge(stack)}"}
        assert web.get(f"{stack.urls['nominations']}/calls", headers=headers).status_code == 200


def test_the_unauthenticated_are_counted_and_logged_without_their_token(stack: Stack, web: httpx.Client) -> None:
    url, secret = stack.urls["notifications"], "synthetic-secret-token"
    before = counted(web, url, "DecodeError")
    answer = web.get(f"{url}/subscriptions", headers={"Authorization": f"Bearer {secret}"})
    refused_as_unknown(answer)
    assert counted(web, url, "DecodeError") == before + 1
    lines = (stack.home / "logs/notifications.log").read_text().splitlines()
    mine = [json.loads(line) for line in lines if answer.headers["X-Correlation-Id"] in line]
    assert [(line["event"], line["reason"]) for line in mine] == [("unauthenticated", "DecodeError")]
    assert all(secret not in line for line in lines)


def counted(web: httpx.Client, url: str, reason: str) -> float:
    series = rf'^throughline_unauthenticated_total{{reason="{reason}",service="notifications"}} (\S+)$'
    found = re.search(series, web.get(f"{url}/metrics").text, re.MULTILINE)
    return float(found.group(1)) if found else 0.0

"""Invalid tokens of every kind: expired, forged, for another audience; and those of nobody's role."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jws, jwt
from joserfc.jwk import OKPKey

from tools.client import tokens
from tools.files import read_json
from tools.local.stack import Stack

SUBJECT = "subject-behind-a-bad-token"
Forge = Callable[[Stack], str]


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a good token of the secretariat, changed; None leaves one out."""
    now = datetime.now(UTC)
    good = {
        "iss": tokens.ISSUER,
        "aud": tokens.AUDIENCE,
        "sub": SUBJECT,
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
        altered = json.dumps({"alg": "Ed25519", "kid": key_of(stack).kid} | header).encode()
        return f"{encoded(altered)}.{body}.{signature}"

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
    "a subject longer than an actor may be": signed(sub="x" * 256),
    "a subject with a line break": signed(sub="a\nb"),
    "claims that are a list": not_claims(b"[1]"),
    "claims that are no JSON": not_claims(b"{"),
    "claims that never end": not_claims(b'{"exp":' + b"[" * 5_000),
}
WITHOUT_ROLE: dict[str, tuple[str, Forge]] = {
    "no role": ("RoleNotGiven", signed(role=None)),
    "an unknown role": ("RoleNotGiven", signed(role="minister")),
    "several roles": ("SeveralRoles", signed(role=["secretariat", "auditor"])),
    "the role of the system": ("RoleNotGiven", signed(role="system")),
    "a focal point of no member": ("MemberNotGiven", signed(role="focal_point")),
    "a focal point of many members": ("MemberNotGiven", signed(role="focal_point", member=["FJI", "TUV"])),
    "a focal point of no code": ("MemberNotGiven", signed(role="focal_point", member="")),
    "an expert that is no person's id": ("ExpertNotAPerson", signed(role="expert", expert="Synthetic Expert")),
    "an expert that is several persons": (
        "ExpertNotAPerson",
        signed(role="expert", expert=["synthetic-1", "synthetic-2"]),
    ),
}
"""Tokens that hold, of a caller of whom nobody says what it is, with the rule of their refusal."""

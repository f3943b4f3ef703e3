"""Who asks: a bearer token (JWT) checked against a JWKS, its role, and what the role may do."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import orjson
import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shared.events.words import Role, words
from shared.problems import Refused
from shared.telemetry import UNAUTHENTICATED

log = structlog.get_logger()

ALGORITHMS = ["Ed25519", "EdDSA", "ES256", "RS256"]
REFRESH_SECONDS = 300.0
LEEWAY_SECONDS = 5

WRITERS = frozenset({"secretariat"})
READERS = frozenset({"secretariat", "auditor", "expert", "chair"})
AUDITORS = frozenset({"secretariat", "auditor"})
OPERATORS = frozenset({"operator", "secretariat"})


@dataclass(frozen=True)
class Principal:
    """The caller: an opaque id, a role, and the member for whom a focal point speaks."""

    actor: str
    role: str
    member: str | None = None


class Tokens:
    """Checks tokens: signature, issuer, audience, times, role."""

    def __init__(self, service: str, jwks: str, issuer: str, audience: str) -> None:
        self._service = service
        self._jwks = jwks
        self._keys: KeySet | None = None
        self._read_at = 0.0
        self._claims = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
            role={"essential": True, "values": list(words(Role))},
        )

    async def check(self, token: str) -> Principal:
        """Return who a token speaks for. Raises Refused (401), which says no more than the kind of fault."""
        try:
            decoded = jwt.decode(token, await self._key_set(), algorithms=ALGORITHMS)
            self._claims.validate(decoded.claims)
        except (JoseError, ValueError) as error:
            raise self._unauthenticated(type(error).__name__) from None
        claims = decoded.claims
        member = claims.get("member")
        if claims["role"] == "system" or (claims["role"] == "focal_point" and not isinstance(member, str)):
            raise self._unauthenticated("RoleNotGiven")
        return Principal(str(claims["sub"]), claims["role"], member)

    def missing(self) -> Refused:
        """Return the refusal of a request without a token."""
        return self._unauthenticated("NoToken")

    def _unauthenticated(self, reason: str) -> Refused:
        UNAUTHENTICATED.labels(self._service, reason).inc()
        log.warning("unauthenticated", reason=reason)
        return Refused(
            401,
            "TokenNotAccepted",
            "send a valid bearer token: signed by the issuer, for this audience, not expired, with a known role",
            headers={"WWW-Authenticate": 'Bearer realm="throughline"'},
        )

    async def _key_set(self) -> KeySet:
        if self._keys is None or time.monotonic() - self._read_at > REFRESH_SECONDS:
            self._keys = KeySet.import_key_set(await self._read())
            self._read_at = time.monotonic()
        return self._keys

    async def _read(self) -> Any:
        if self._jwks.startswith(("http://", "https://")):
            async with httpx.AsyncClient(timeout=5) as client:
                return (await client.get(self._jwks)).raise_for_status().json()
        return orjson.loads(Path(self._jwks).read_bytes())  # noqa: ASYNC240


_bearer = HTTPBearer(auto_error=False, description="JWT with sub (opaque id), role and, for focal points, member")


async def principal(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """Return the caller of a request."""
    tokens: Tokens = request.app.state.tokens
    if credentials is None:
        raise tokens.missing()
    caller = await tokens.check(credentials.credentials)
    request.state.principal = caller
    structlog.contextvars.bind_contextvars(actor=caller.actor, role=caller.role)
    return caller


def allow(roles: frozenset[str]) -> Any:
    """Return the dependency that lets these roles in and answers 403 to others."""

    async def check(caller: Annotated[Principal, Depends(principal)]) -> Principal:
        if caller.role not in roles:
            raise Refused(
                403,
                "RoleMayNot",
                f"the role {caller.role} may not do this; it needs one of: {', '.join(sorted(roles))}",
            )
        return caller

    return Depends(check)

"""Authenticates callers by bearer token (JWT) against a JWKS, and authorizes them by role."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any

import structlog
from cachetools import LRUCache, TTLCache
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from shared.domain.members import MEMBERS
from shared.events.words import Role, words
from shared.http.keys import ALGORITHMS, Keys, KeyState
from shared.http.problems import Refused
from shared.runtime.telemetry import UNAUTHENTICATED
from shared.store.database_clock import DatabaseClock
from shared.store.event_store import ClocksDiffer

log = structlog.get_logger()

REFRESH_SECONDS = 300.0
REFRESH_AT_MOST_EVERY_SECONDS = 10.0
LEEWAY_SECONDS = 5
CACHE_SIZE = 10_000
FAILURES = 500
FAILURES_SECONDS = 10
_OPAQUE_ID = re.compile("[!-~]{1,100}")
_MEMBER = re.compile("[A-Z]{3}")

WRITERS = frozenset({"secretariat"})
READERS = frozenset({"secretariat", "auditor", "expert", "chair"})
AUDITORS = frozenset({"secretariat", "auditor"})
OPERATORS = frozenset({"operator", "secretariat"})


@dataclass(frozen=True)
class Principal:
    """The caller: an opaque id, a role, and for a focal point its member."""

    actor: str
    role: str
    member: str | None = None


class Tokens:
    """The validator of tokens: signature, issuer, audience, times, role.

    Verified claims are cached until the keys are read again, so that a withdrawn key ends them; their times are
    validated at every check.
    """

    def __init__(self, service: str, jwks: str, issuer: str, audience: str, clock: DatabaseClock | None = None) -> None:
        self._clock = clock
        self._service = service
        self._keys = Keys(jwks)
        self._verified: LRUCache[bytes, dict[str, Any]] = LRUCache(CACHE_SIZE)
        self._verified_by = 0
        self._failures: TTLCache[str, list[str]] = TTLCache(CACHE_SIZE, FAILURES_SECONDS)
        self._registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
            role={"essential": True, "values": list(words(Role))},
        )

    async def check(self, token: str, peer: str) -> Principal:
        """Return the caller that a token names. Raises Refused: 401, which reveals only the kind of fault; 429; 503.

        A token verified before is accepted from any peer; others are not even verified once the peer failed too often.
        """
        if self._has_failed_too_often(peer) and _digest(token) not in self._verified:
            raise _too_many_failures()
        try:
            claims = await self._claims_of(token)
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            if self._clock is not None and (trouble := self._clock.trouble):
                raise Refused(503, ClocksDiffer.rule, trouble, headers={"Retry-After": "30"}) from None
            raise self._unauthenticated(type(error).__name__, peer) from None
        caller = _principal_of(claims)
        if caller is None:
            raise self._unauthenticated("RoleNotGiven", peer)
        return caller

    async def _claims_of(self, token: str) -> dict[str, Any]:
        keys = await self._current(REFRESH_SECONDS)
        digest = _digest(token)
        claims = self._verified.get(digest)
        if claims is None:
            try:
                claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
            except InvalidKeyIdError:
                keys = await self._current(REFRESH_AT_MOST_EVERY_SECONDS)
                claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
            self._verified[digest] = claims
        self._registry.validate(claims)
        return claims

    async def _current(self, lifetime: float) -> KeySet:
        """Return the keys; forget what was verified by others."""
        keys = await self._keys.key_set(lifetime)
        if self._verified_by != self._keys.generation:
            self._verified.clear()
            self._verified_by = self._keys.generation
        return keys

    async def key_state(self) -> KeyState:
        """Return what is wrong with the keys."""
        return await self._keys.state()

    def missing(self, peer: str) -> Refused:
        """Return the refusal of a request without a token."""
        return self._unauthenticated("NoToken", peer)

    def _has_failed_too_often(self, peer: str) -> bool:
        return len(self._failures.get(peer, ())) >= FAILURES

    def _unauthenticated(self, reason: str, peer: str) -> Refused:
        if self._has_failed_too_often(peer):
            return _too_many_failures()
        self._failures.setdefault(peer, []).append(reason)
        UNAUTHENTICATED.labels(self._service, reason).inc()
        log.warning("unauthenticated", reason=reason)
        return Refused(
            401,
            "TokenNotAccepted",
            "send a valid bearer token: signed by the issuer, for this audience, not expired, with a known role",
            headers={"WWW-Authenticate": 'Bearer realm="throughline"'},
        )


_bearer = HTTPBearer(auto_error=False, description="JWT with sub (opaque id), role and, for focal points, member")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def principal(request: Request, credentials: Credentials) -> Principal:
    """Return the caller of a request."""
    cached: Principal | None = getattr(request.state, "principal", None)
    if cached is not None:
        return cached
    tokens: Tokens = request.app.state.tokens
    peer = request.client.host if request.client else ""
    if credentials is None:
        raise tokens.missing(peer)
    caller = await tokens.check(credentials.credentials, peer)
    request.state.principal = caller
    structlog.contextvars.bind_contextvars(actor=caller.actor, role=caller.role)
    return caller


@dataclass(frozen=True)
class Allowed:
    """A dependency that admits callers of some roles, and refuses others (403)."""

    roles: frozenset[str]

    async def __call__(self, request: Request, credentials: Credentials) -> Principal:
        """Return the caller if one of the roles, and of a member of ESCAP where of any. Raises Refused."""
        caller = await principal(request, credentials)
        if caller.member is not None and caller.member not in MEMBERS:
            raise Refused(
                403,
                "TokenOfNoMember",
                f"the token's member {caller.member} is neither a member nor an associate member of ESCAP: "
                "have its issuer give the ISO 3166-1 alpha-3 code",
            )
        if caller.role not in self.roles:
            raise Refused(
                403,
                "RoleMayNot",
                f"the role {caller.role} may not do this; it needs one of: {', '.join(sorted(self.roles))}",
            )
        return caller

    async def admit(self, request: Request) -> None:
        """Authorize the caller before the rest of the request is read."""
        await self(request, await _bearer(request))


def allow(roles: frozenset[str]) -> Any:
    """Return the dependency that admits these roles, and answers 403 to others."""
    return Depends(Allowed(roles))


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _too_many_failures() -> Refused:
    return Refused(
        429,
        "TooManyFailures",
        f"from one address, {FAILURES} requests without a valid token are answered in {FAILURES_SECONDS} s: wait",
        headers={"Retry-After": str(FAILURES_SECONDS), "Connection": "close"},
    )


def _principal_of(claims: dict[str, Any]) -> Principal | None:
    """Return the caller that valid claims name; None without an opaque id, a single role, or a focal point's member."""
    actor, role, member = claims["sub"], claims["role"], claims.get("member")
    if not isinstance(role, str) or role == "system" or _OPAQUE_ID.fullmatch(actor) is None:
        return None
    if role != "focal_point":
        return Principal(actor, role)
    if not isinstance(member, str) or _MEMBER.fullmatch(member) is None:
        return None
    return Principal(actor, role, member)

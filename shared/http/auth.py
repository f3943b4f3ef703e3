"""Authenticates callers by bearer token (JWT) against a JWKS, and authorizes them by role."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Any

import structlog
from cachetools import LRUCache, TTLCache
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from shared.domain.actors import actor_of
from shared.domain.members import MEMBERS
from shared.events.words import CallerRole, words
from shared.http.claims import ClaimReader
from shared.http.keys import ALGORITHMS, Keys, KeyState
from shared.http.problems import Refused
from shared.runtime.settings import SignInSettings
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
_SUBJECT = re.compile("[!-~]{1,255}")
NAME_LENGTH = 200

CALLERS = frozenset(words(CallerRole))
WRITERS = frozenset({"secretariat"})
OPERATORS = frozenset({"operator", "secretariat"})


@dataclass(frozen=True)
class Principal:
    """The caller: an opaque id, a role, for a focal point its member, and for an expert the person that it is.

    `name` is what the provider calls the person. It goes to the staff list alone, never into a log or an event.
    """

    actor: str
    role: str
    member: str | None = None
    expert: str | None = None
    name: str | None = field(default=None, repr=False, compare=False)


class Tokens:
    """The validator of tokens: signature, issuer, audience, times; then what the caller is.

    Verified claims are cached until the keys are read again, so that a withdrawn key ends them; their times are
    validated at every check.
    """

    def __init__(self, service: str, settings: SignInSettings, clock: DatabaseClock | None = None) -> None:
        """Read the key of actors and the file of people. Raises CannotStart."""
        self._clock = clock
        self._service = service
        self._keys = Keys(settings.jwks)
        self._claims = ClaimReader(settings)
        self._actor_key = settings.key_of_actors()
        self._verified: LRUCache[bytes, dict[str, Any]] = LRUCache(CACHE_SIZE)
        self._verified_by = 0
        self._failures: TTLCache[str, list[str]] = TTLCache(CACHE_SIZE, FAILURES_SECONDS)
        self._registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "values": settings.audience.split()},
            sub={"essential": True},
            exp={"essential": True},
        )

    async def check(self, token: str, peer: str) -> Principal:
        """Return the caller that a token names.

        Raises Refused: 401, which reveals only the kind of fault; 403 where nobody says what the caller is; 429; 503.

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
        if _SUBJECT.fullmatch(claims["sub"]) is None:
            raise self._unauthenticated("SubjectNotOpaque", peer)
        try:
            identity = self._claims.identify(claims)
        except Refused as refusal:
            UNAUTHENTICATED.labels(self._service, refusal.rule).inc()
            log.warning("without_a_role", reason=refusal.rule)
            raise
        actor = actor_of(self._actor_key, claims["iss"], claims["sub"])
        return Principal(actor, *identity, name=_name_of(claims.get("name")))

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

    def people_warning(self) -> str:
        """Return what is wrong with the file of people, or nothing."""
        self._claims.people.look()
        return self._claims.people.warning

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
            "send a valid bearer token: signed by the issuer, for this audience, not expired",
            headers={"WWW-Authenticate": 'Bearer realm="throughline"'},
        )


_bearer = HTTPBearer(auto_error=False, description="JWT of the provider that docs/sign-in.md describes")
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


def _name_of(value: object) -> str | None:
    """Return a claim that can be shown as a name: one line of text, cut where it is too long."""
    if not isinstance(value, str) or not value.isprintable() or not value.strip():
        return None
    return value.strip()[:NAME_LENGTH]

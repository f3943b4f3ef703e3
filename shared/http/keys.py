"""The keys that tokens are checked against: a JWKS, of which a key that cannot be used spoils no other."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import orjson
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet

from shared.http.problems import Refused
from shared.runtime.regular_file import read_bytes

log = structlog.get_logger()

ALGORITHMS = ["Ed25519", "EdDSA", "ES256", "RS256"]
_KINDS = frozenset({("OKP", "Ed25519"), ("EC", "P-256"), ("RSA", None)})
_NAME_SHOWN = 100
_AGAIN_SECONDS = 1.0
_OF_THE_KEY = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)
_OF_THE_SOURCE = (OSError, httpx2.HTTPError, *_OF_THE_KEY)


class KeyState(NamedTuple):
    """The entry of the keys in `/readyz`: why there is none, or which cannot be used."""

    trouble: str = ""
    warning: str = ""


class Keys:
    """The keys of a JWKS in a file or at an address, read again when they are older than asked for."""

    def __init__(self, jwks: str) -> None:
        self.generation = 0
        self._jwks = jwks
        self._keys: KeySet | None = None
        self._read_at = float("-inf")
        self._state = KeyState("not read yet")
        self._reading = asyncio.Lock()

    async def key_set(self, lifetime: float) -> KeySet:
        """Return the keys; in an outage of their source the old ones remain valid. Raises Refused (503)."""
        if self._age() > (lifetime if self._keys else 0):
            await self._refresh()
        if self._keys is None:
            raise Refused(
                503, "KeysUnavailable", "tokens cannot be checked now; try again", headers={"Retry-After": "5"}
            )
        return self._keys

    async def state(self) -> KeyState:
        """Return what is wrong with the keys, which are read for it where there are none yet."""
        if self._keys is None and self._age() > _AGAIN_SECONDS:
            await self._refresh()
        return self._state

    def _age(self) -> float:
        return time.monotonic() - self._read_at

    async def _refresh(self) -> None:
        """Read the keys, once for all concurrent callers; who has old ones does not wait for another's reading."""
        if self._keys is not None and self._reading.locked():
            return
        read_at = self._read_at
        async with self._reading:
            if self._read_at != read_at:
                return
            try:
                keys, skipped = _usable(await self._read())
                self._keys = KeySet(keys)
                self._state = KeyState(warning=_in_words(skipped))
                self.generation += 1
            except _OF_THE_SOURCE as error:
                log.error("jwks_read_failed", error=type(error).__name__)
                if self._keys is None:
                    self._state = KeyState(f"no key to check tokens with: {_reason(error)}")
                else:
                    self._state = KeyState(warning=f"not read again, the old ones are used: {_reason(error)}")
            self._read_at = time.monotonic()

    async def _read(self) -> Any:
        if self._jwks.startswith(("http://", "https://")):
            async with httpx2.AsyncClient(timeout=5) as client:
                return (await client.get(self._jwks)).raise_for_status().json()
        return orjson.loads(read_bytes(Path(self._jwks)))


class NoUsableKey(ValueError):
    """A JWKS without a key that can verify a token."""


def _usable(jwks: Any) -> tuple[list[Key], list[str]]:
    """Return the keys that can verify a token, and the names of the others, which are logged. Raises NoUsableKey."""
    keys: list[Key] = []
    skipped: list[str] = []
    for number, data in enumerate(jwks["keys"], start=1):
        try:
            keys.append(_imported(data))
        except _OF_THE_KEY as error:
            name = _name(data, number)
            log.warning("jwks_key_skipped", key=name, error=type(error).__name__)
            skipped.append(name)
    if not keys:
        raise NoUsableKey(f"none of its {len(skipped)} keys can be used")
    return keys, skipped


def _imported(data: Any) -> Key:
    if (data["kty"], data.get("crv")) not in _KINDS or data.get("use", "sig") != "sig":
        raise ValueError("a key for something else")
    if data.get("alg", ALGORITHMS[0]) not in ALGORITHMS:
        raise ValueError("a key for an algorithm that is not accepted")
    key = JWKRegistry.import_key(data)
    key.get_op_key("verify")
    return key


def _name(data: Any, number: int) -> str:
    kid = data.get("kid") if isinstance(data, dict) else None
    return kid[:_NAME_SHOWN] if isinstance(kid, str) and kid.isprintable() else f"number {number}"


def _in_words(skipped: list[str]) -> str:
    return f"cannot be used, and are skipped: {', '.join(skipped)}" if skipped else ""


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, NoUsableKey) else type(error).__name__

"""Tokens of a local stack, signed with a key that its first start generates, and the actors that they stand for."""

import secrets
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from shared.domain.actors import actor_of
from tools.files import NotAFile, read_json, write, write_json

ISSUER = "throughline-local"
AUDIENCE = "throughline"
ALGORITHM = "Ed25519"
KEY_FILE = "token_key.json"
JWKS_FILE = "jwks.json"
ACTOR_KEY_FILE = "actor_key"


def make_key(home: Path) -> None:
    """Generate the signing key and the key of actors once; write the public keys that services check against."""
    if not (home / KEY_FILE).exists():
        write_json(home / KEY_FILE, new_key())
    if not (home / ACTOR_KEY_FILE).exists():
        write(home / ACTOR_KEY_FILE, secrets.token_urlsafe(32) + "\n")
    write_json(home / JWKS_FILE, jwks(home / KEY_FILE))


def new_key() -> dict[str, Any]:
    """Generate a signing key, as a private JWK."""
    key = OKPKey.generate_key("Ed25519", {"alg": ALGORITHM, "use": "sig", "kid": secrets.token_hex(8)})
    return dict(key.as_dict(private=True))


def jwks(file: Path) -> dict[str, Any]:
    """Return the public keys for the private key in a file. Raises NotAFile."""
    return {"keys": [_key(file).as_dict(private=False)]}


def mint(
    home_or_key: Path,
    *,
    role: str | None,
    subject: str,
    member: str | None = None,
    expert: str | None = None,
    name: str | None = None,
    audience: str | list[str] = AUDIENCE,
    more: Mapping[str, Any] = MappingProxyType({}),
    lifetime: timedelta = timedelta(hours=8),
    backdated: timedelta = timedelta(0),
) -> str:
    """Issue a token, valid from now or from earlier; `home_or_key` is a stack's home or its key's file.

    Without a `role` it is like the token of a provider that sends none.
    """
    file = home_or_key / KEY_FILE if home_or_key.is_dir() else home_or_key
    key = _key(file)
    now = datetime.now(UTC)
    claims = {
        "iss": ISSUER,
        "aud": audience,
        "sub": subject,
        "iat": now - backdated,
        "nbf": min(now, now + lifetime) - backdated,
        "exp": now + lifetime,
        "jti": uuid.uuid4().hex,
    }
    claims |= more
    optional = {"role": role, "member": member, "expert": expert, "name": name}
    claims |= {claim: value for claim, value in optional.items() if value is not None}
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": "JWT"}, claims, key, algorithms=[ALGORITHM])


def actor(home: Path, subject: str) -> str:
    """Return the `actor` that stands in the history of a stack for the subject of its tokens."""
    return actor_of((home / ACTOR_KEY_FILE).read_text(encoding="utf-8").strip().encode(), ISSUER, subject)


def _key(file: Path) -> OKPKey:
    """Return the private key in a file. Raises NotAFile."""
    try:
        key = OKPKey.import_key(read_json(file))
    except (JoseError, ValueError, KeyError, TypeError):
        key = None
    if key is None or not key.is_private:
        raise NotAFile(f"{file} is spoilt: it holds no private key; restore it, or remove it to have another made")
    return key

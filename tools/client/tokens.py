"""Tokens of a local stack, signed with a key that its first start generates."""

import secrets
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from tools.files import NotAFile, read_json, write_json

ISSUER = "throughline-local"
AUDIENCE = "throughline"
ALGORITHM = "Ed25519"
KEY_FILE = "token_key.json"
JWKS_FILE = "jwks.json"


def make_key(home: Path) -> None:
    """Generate the private signing key once, and write the set of public keys that services check against."""
    if not (home / KEY_FILE).exists():
        key = OKPKey.generate_key("Ed25519", {"alg": ALGORITHM, "use": "sig", "kid": secrets.token_hex(8)})
        write_json(home / KEY_FILE, key.as_dict(private=True))
    key = _key(home / KEY_FILE)
    write_json(home / JWKS_FILE, {"keys": [key.as_dict(private=False)]})


def mint(
    home_or_key: Path,
    *,
    role: str,
    subject: str,
    member: str | None = None,
    lifetime: timedelta = timedelta(hours=8),
    backdated: timedelta = timedelta(0),
) -> str:
    """Issue a token for a role, valid from now or from earlier; `home_or_key` is a stack's home or its key's file."""
    file = home_or_key / KEY_FILE if home_or_key.is_dir() else home_or_key
    key = _key(file)
    now = datetime.now(UTC)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "role": role,
        "iat": now - backdated,
        "nbf": min(now, now + lifetime) - backdated,
        "exp": now + lifetime,
        "jti": uuid.uuid4().hex,
    }
    if member is not None:
        claims["member"] = member
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": "JWT"}, claims, key, algorithms=[ALGORITHM])


def _key(file: Path) -> OKPKey:
    """Return the private key in a file. Raises NotAFile."""
    try:
        key = OKPKey.import_key(read_json(file))
    except (JoseError, ValueError, KeyError, TypeError):
        key = None
    if key is None or not key.is_private:
        raise NotAFile(f"{file} is spoilt: it holds no private key; restore it, or remove it to have another made")
    return key

"""Local tokens verify against the published key set, and the private key stays private."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError, ExpiredTokenError
from joserfc.jwk import KeySet

from tools.client import tokens

CLAIMS = jwt.JWTClaimsRegistry(iss={"essential": True, "value": tokens.ISSUER}, aud={"value": tokens.AUDIENCE})


def keys(home: Path) -> KeySet:
    return KeySet.import_key_set(json.loads((home / tokens.JWKS_FILE).read_text()))


def test_a_token_carries_role_subject_and_member(tmp_path: Path) -> None:
    tokens.make_key(tmp_path)
    token = jwt.decode(
        tokens.mint(tmp_path, role="focal_point", subject="fp-1", member="FJI"), keys(tmp_path), algorithms=["Ed25519"]
    )
    CLAIMS.validate(token.claims)
    assert (token.claims["role"], token.claims["sub"], token.claims["member"]) == ("focal_point", "fp-1", "FJI")
    assert token.header["kid"] == keys(tmp_path).keys[0].kid


def test_an_expired_token_is_refused(tmp_path: Path) -> None:
    tokens.make_key(tmp_path)
    expired = tokens.mint(tmp_path, role="auditor", subject="a-1", lifetime=timedelta(minutes=-5))
    with pytest.raises(ExpiredTokenError):
        CLAIMS.validate(jwt.decode(expired, keys(tmp_path), algorithms=["Ed25519"]).claims)


def test_a_token_of_another_stack_does_not_verify(tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    tokens.make_key(own)
    tokens.make_key(other)
    kid = json.loads((own / tokens.KEY_FILE).read_text())["kid"]
    forged = json.loads((other / tokens.KEY_FILE).read_text()) | {"kid": kid}
    (other / tokens.KEY_FILE).write_text(json.dumps(forged))
    token = tokens.mint(other / tokens.KEY_FILE, role="secretariat", subject="s-1")
    with pytest.raises(BadSignatureError):
        jwt.decode(token, keys(own), algorithms=["Ed25519"])


def test_the_private_key_is_private_and_kept(tmp_path: Path) -> None:
    tokens.make_key(tmp_path)
    before = (tmp_path / tokens.KEY_FILE).read_text()
    tokens.make_key(tmp_path)
    assert (tmp_path / tokens.KEY_FILE).read_text() == before
    assert (tmp_path / tokens.KEY_FILE).stat().st_mode & 0o077 == 0
    assert "d" not in json.loads((tmp_path / tokens.JWKS_FILE).read_text())["keys"][0]

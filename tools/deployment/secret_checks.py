"""The content that secrets of a deployment must have, and remarks on one that is older than its neighbours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from cryptography.fernet import Fernet
from cryptography.x509 import ExtensionNotFound

from shared.runtime.sign_in_settings import ACTOR_KEY_LENGTH
from shared.tlog.notes import NotAKey, Signer
from tools.deployment import certificates

_MONGODB_KEY = re.compile("[A-Za-z0-9+/=]{6,1024}")  # as mongod takes them
ENDS_SOON = timedelta(days=30)
AGAIN = "remove it, and run this again"
RESTART = f"{AGAIN}; then restart its server"


def key_of_actors(content: str) -> None:
    """Raise ValueError for a key that services refuse."""
    if len(content.strip()) < ACTOR_KEY_LENGTH:
        raise ValueError(f"has fewer than {ACTOR_KEY_LENGTH} characters")


def key_of_console(content: str) -> None:
    """Raise ValueError for keys with which the console could seal no session."""
    try:
        for key in content.split():
            Fernet(key)
    except ValueError:
        raise ValueError("holds no keys of the console") from None


def key_of_log(content: str) -> None:
    """Raise ValueError for a file that holds no private key of a log."""
    try:
        Signer.parse(content.split()[0])
    except NotAKey as fault:
        raise ValueError(f"holds no private key of a log: {fault}") from None


def keys_of_mongodb(content: str) -> list[str]:
    """Return the keys of MongoDB's members: one, or a list in YAML. Raises ValueError for a file without them."""
    lines = content.splitlines()
    keys = lines if len(lines) == 1 else [line.removeprefix("- ") for line in lines if line.startswith("- ")]
    if len(keys) != len(lines) or not all(_MONGODB_KEY.fullmatch(key.strip()) for key in keys):
        raise ValueError("holds neither one key nor a list of keys in YAML")
    return [key.strip() for key in keys]


def private_key(content: str) -> None:
    """Raise ValueError for a file that holds no private key of an authority."""
    try:
        certificates.read_key(content)
    except (ValueError, TypeError):
        raise ValueError("holds no private key") from None


def certificate(content: str) -> None:
    """Raise ValueError for a file that holds no certificate."""
    try:
        certificates.ends(content)
    except ValueError:
        raise ValueError("is spoilt: it holds no certificate") from None


def json_object(content: str) -> None:
    """Raise ValueError for a file that holds no JSON object."""
    try:
        is_object = isinstance(json.loads(content), dict)
    except ValueError:
        is_object = False
    if not is_object:
        raise ValueError("holds no JSON object")


def remark_on_authority(content: str) -> str:
    """Return when the certificate of an authority ends, and what to do where that is soon."""
    return _end(content, "throughline rotate authority")


def remark_on_server(content: str, names: Iterable[str], authorities: str) -> str:
    """Return when a server's certificate ends, and why clients would not trust it."""
    if not certificates.is_issued_by(content, authorities):
        return f"is not of the authority tls/ca.crt, which clients trust: {RESTART}"
    if missing := set(names) - _names(content):
        return f"is not for {', '.join(sorted(missing))}: {RESTART}"
    return _end(content, "throughline rotate certificates")


def _names(content: str) -> set[str]:
    try:
        return {*certificates.names(content)}
    except ExtensionNotFound:
        return set()


def _end(content: str, command: str) -> str:
    end = certificates.ends(content)
    soon = end - datetime.now(UTC) < ENDS_SOON
    return f"ends on {end:%Y-%m-%d}" + (f": run {command}" if soon else "")

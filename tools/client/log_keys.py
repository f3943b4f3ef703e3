"""The keys of logs: public ones that a reader of Kafka trusts, and where a local stack has its private ones."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from shared.runtime.regular_file import read_text
from shared.tlog.notes import NotAKey, Verifier
from shared.tlog.trust import LogTrust, key_ids
from tools.client.errors import BadInput
from tools.client.stack_home import PUBLIC_KEYS
from tools.files import sentence, write

VARIABLE = "THROUGHLINE_TRUSTED_KEYS"
DEPLOYMENT = "local"
_NAMED = "log-keys/deployment"


def deployment_of(home: Path) -> str:
    """Return the name of a local stack's deployment, part of each log's origin: another one after a restoration."""
    try:
        return (home / _NAMED).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return DEPLOYMENT


def name_deployment(home: Path, deployment: str) -> None:
    """Name the deployment of a local stack: from its next start on its logs have other origins and keys."""
    write(home / _NAMED, f"{deployment}\n")


def key_folder(home: Path, deployment: str) -> Path:
    """Return the folder of the private keys of a local stack's deployment."""
    return home / "log-keys" if deployment == DEPLOYMENT else home / "log-keys" / deployment


def log_trust(home: Path, keys: Sequence[str] | None = None) -> LogTrust:
    """Return the trust in the keys given, else in those of the environment, else of a local stack. Raises BadInput."""
    source, texts = _source(home, keys)
    try:
        pinned = [Verifier.parse(key) for text in texts for key in text.split()]
    except NotAKey as fault:
        raise BadInput(f"{source}: {fault}") from None
    if not pinned:
        raise BadInput(f"{source}: holds no key to believe records by.")
    try:
        return LogTrust(pinned, key_ids(os.environ.get("THROUGHLINE_DISTRUSTED_KEYS", "")))
    except NotAKey as fault:
        raise BadInput(f"THROUGHLINE_DISTRUSTED_KEYS: {fault}") from None


def _source(home: Path, keys: Sequence[str] | None) -> tuple[str, Sequence[str]]:
    if keys:
        return "--key", keys
    if text := os.environ.get(VARIABLE):
        return VARIABLE, [text]
    named = os.environ.get(f"{VARIABLE}_FILE")
    file = Path(named) if named else home / PUBLIC_KEYS
    try:
        return str(file), [read_text(file)]
    except (OSError, UnicodeDecodeError) as fault:
        raise BadInput(
            f"No keys to believe records by: give the public key of each log with --key, or set {VARIABLE} "
            f"({sentence(file, 'read', fault)})."
        ) from None

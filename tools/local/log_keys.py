"""Signing keys for the logs of a local stack, generated at its first start."""

from collections.abc import Sequence
from pathlib import Path

from shared.tlog.keys import LogKeys, origin_of
from shared.tlog.notes import Signer
from tools.files import write

DEPLOYMENT = "local"


def key_file(home: Path, service: str) -> Path:
    """Return the path of the private keys of a service's log."""
    return home / "log-keys" / f"{service}.key"


def make_keys(home: Path, services: Sequence[str]) -> None:
    """Generate the keys of each log that has none."""
    for service in services:
        if not key_file(home, service).exists():
            write(key_file(home, service), LogKeys(Signer.generate(origin_of(DEPLOYMENT, service))).text())

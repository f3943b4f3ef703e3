"""Keys that the logs of a local stack are signed with, made at its first start."""

from collections.abc import Sequence
from pathlib import Path

from shared.tlog.keys import LogKeys, origin_of
from shared.tlog.notes import Signer
from tools.files import write

DEPLOYMENT = "local"


def key_file(home: Path, service: str) -> Path:
    """Where the keys of a service's log lie: private."""
    return home / "log-keys" / f"{service}.key"


def make_keys(home: Path, services: Sequence[str]) -> None:
    """Make the keys of each log that has none."""
    for service in services:
        if not key_file(home, service).exists():
            write(key_file(home, service), LogKeys(Signer.generate(origin_of(DEPLOYMENT, service))).text())

"""Signing keys for the logs of a local stack, generated at its first start, and the file of their public keys."""

from collections.abc import Sequence
from pathlib import Path

from shared.tlog.keys import LogKeys, origin_of
from shared.tlog.notes import NotAKey, Signer
from tools.client.log_keys import DEPLOYMENT, deployment_of, key_folder
from tools.client.stack_home import PUBLIC_KEYS
from tools.files import NotAFile, write

__all__ = ["DEPLOYMENT", "deployment_of", "key_file", "make_keys"]


def key_file(home: Path, service: str) -> Path:
    """Return the path of the private keys of a service's log."""
    return key_folder(home, deployment_of(home)) / f"{service}.key"


def make_keys(home: Path, services: Sequence[str]) -> None:
    """Generate the keys of each log that has none, and write the public keys of all logs in one file."""
    public: list[str] = []
    for service in services:
        origin, file = origin_of(deployment_of(home), service), key_file(home, service)
        if not file.exists():
            write(file, LogKeys(Signer.generate(origin)).text())
        try:
            public += [key.vkey for key in LogKeys.parse(file.read_text(encoding="utf-8"), origin).verifiers]
        except (NotAKey, UnicodeDecodeError) as fault:
            raise NotAFile(f"{file} is spoilt: {fault}") from None
    write(home / PUBLIC_KEYS, "".join(f"{key}\n" for key in public))

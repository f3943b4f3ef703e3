"""The settings of the console of a local stack, for the stack that runs it and for a command that runs it alone."""

from __future__ import annotations

import json
from pathlib import Path

from cryptography.fernet import Fernet

from shared.events.services import SERVICES
from tools.client.development import CLIENT_ID
from tools.client.stack_home import PUBLIC_KEYS, StackHome
from tools.files import write

KEY_FILE = "console.key"
VERIFICATION = "verification.json"
_PREFIX = "THROUGHLINE_CONSOLE_"


def environment(home: Path) -> dict[str, str]:
    """Return the settings as environment variables; the key of sessions is made at the first call.

    Raises LookupError where no stack with a development sign-in was started in this home.
    """
    stack = StackHome(home)
    ports, issuer = stack.ports(), stack.issuer()
    if issuer is None or "console" not in ports:
        raise LookupError(f"no stack was started in {home}: throughline stack up")
    return {
        f"{_PREFIX}HOST": "127.0.0.1",
        f"{_PREFIX}PORT": str(ports["console"]),
        f"{_PREFIX}ADDRESS": address(home),
        f"{_PREFIX}SERVICES": json.dumps({name: f"http://127.0.0.1:{ports[name]}" for name in SERVICES}),
        f"{_PREFIX}ISSUER": issuer,
        f"{_PREFIX}CLIENT_ID": CLIENT_ID,
        f"{_PREFIX}KEYS": _key(home / KEY_FILE),
        f"{_PREFIX}TRUSTED_KEYS_FILE": str(home / PUBLIC_KEYS),
        f"{_PREFIX}VERIFICATION_FILE": str(home / VERIFICATION),
    }


def address(home: Path) -> str:
    """Return the address that people type."""
    return f"http://127.0.0.1:{StackHome(home).ports()['console']}"


def _key(file: Path) -> str:
    if not file.exists():
        write(file, Fernet.generate_key().decode())
    return file.read_text(encoding="utf-8").strip()

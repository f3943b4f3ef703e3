"""The clients of the development sign-in of a local stack: consoles on loopback, and where their people return to."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from tools.files import read_json, write_json

CLIENT_ID = "throughline-console"
CLIENTS_FILE = "sign_in_clients.json"
SIGNED_IN, SIGNED_OUT = "/signed-in", "/signed-out"
LOOPBACK = ("127.0.0.1", "localhost")


class NotLoopback(ValueError):
    """An address that other machines may reach: the development sign-in is not for it."""


def register(home: Path, address: str, client: str = CLIENT_ID) -> None:
    """Let people return to a console at an address, as in http://127.0.0.1:8080. Raises NotLoopback."""
    check_loopback(address)
    known = clients(home)
    known[client] = sorted({*known.get(client, ()), address.rstrip("/")})
    write_json(home / CLIENTS_FILE, known)


def check_loopback(address: str) -> None:
    """Refuse an address that other machines may reach. Raises NotLoopback."""
    if urlsplit(address).hostname not in LOOPBACK:
        raise NotLoopback(f"{address} is not on loopback: the development sign-in is for this machine alone")


def clients(home: Path) -> dict[str, list[str]]:
    """Return the addresses of each client."""
    return read_json(home / CLIENTS_FILE)

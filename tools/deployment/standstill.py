"""A MongoDB held still while its files are copied: fsyncLock, which mongosh would give, for who has none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient

SELECTION_MS = 10_000
Client = MongoClient[dict[str, Any]]


class LockedAlready(Exception):
    """The server is locked, by another backup or by one that was killed."""


@contextmanager
def held_still(uri: str) -> Iterator[None]:
    """Flush a server's files and let nothing write to them. Raises LockedAlready, PyMongoError."""
    with Client(uri, serverSelectionTimeoutMS=SELECTION_MS) as client:
        if is_locked(client):
            raise LockedAlready
        client.admin.command("fsync", lock=True)
        try:
            yield
        finally:
            client.admin.command("fsyncUnlock")


def release(uri: str) -> bool:
    """Unlock a server that a killed backup left locked; tell whether it was. Raises PyMongoError."""
    with Client(uri, serverSelectionTimeoutMS=SELECTION_MS) as client:
        was_locked = is_locked(client)
        while is_locked(client):
            client.admin.command("fsyncUnlock")
        return was_locked


def is_locked(client: Client) -> bool:
    """Tell whether a server is locked."""
    return bool(client.admin.command("currentOp", 1, ns="none").get("fsyncLock"))

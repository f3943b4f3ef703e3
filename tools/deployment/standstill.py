"""A MongoDB held still while its files are copied: fsyncLock, which mongosh would give, for who has none."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from pymongo.errors import OperationFailure

from tools.client.mongodb_client import Client, connect

ENDING = (signal.SIGTERM, signal.SIGHUP)


class LockedAlready(Exception):
    """The server is locked, by another backup or by one that was killed."""


class ReleasedMeanwhile(Exception):
    """The server took writes before the copy ended: somebody released it, or it was started again."""


class Stopped(Exception):
    """A signal that ends this process; it is held back until the server is released."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def held_still(uri: str) -> Iterator[None]:
    """Flush a server's files and let nothing write to them.

    Raises LockedAlready, ReleasedMeanwhile, Stopped, PyMongoError.
    """
    with connect(uri) as client, _stopping_in_order():
        if is_locked(client):
            raise LockedAlready
        is_held = False
        try:
            client.admin.command("fsync", lock=True)
            is_held = True
            yield
        finally:
            _ignore_signals()
            _unlock(client, is_held)


@contextmanager
def _stopping_in_order() -> Iterator[None]:
    """Raise Stopped where a signal would end the process at once and leave the server locked."""

    def stop(number: int, _frame: Any) -> NoReturn:
        raise Stopped(number)

    before = {number: signal.getsignal(number) for number in (*ENDING, signal.SIGINT)}
    for number in ENDING:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_signals() -> None:
    for number in (*ENDING, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def _unlock(client: Client, is_held: bool) -> None:
    """Unlock a server, also one of which a signal left open whether it was locked."""
    try:
        client.admin.command("fsyncUnlock")
    except OperationFailure:
        if is_held and is_locked(client):
            raise
        if is_held:
            raise ReleasedMeanwhile from None


def release(uri: str) -> bool:
    """Unlock a server that a killed backup left locked; tell whether it was. Raises PyMongoError."""
    with connect(uri) as client:
        was_locked = is_locked(client)
        while is_locked(client):
            client.admin.command("fsyncUnlock")
        return was_locked


def is_locked(client: Client) -> bool:
    """Tell whether a server is locked."""
    return bool(client.admin.command("currentOp", 1, ns="none").get("fsyncLock"))

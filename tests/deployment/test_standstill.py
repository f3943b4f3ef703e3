"""A MongoDB that is held for a backup is released however the backup ends, and a torn copy is called one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo.errors import OperationFailure

from tools.deployment import standstill
from tools.deployment.standstill import LockedAlready, ReleasedMeanwhile, Stopped, held_still


class Server:
    """A server that counts its locks, as MongoDB does."""

    locks = 0
    admin = property(lambda self: self)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def command(self, name: str, *_: Any, **__: Any) -> dict[str, Any]:
        if name == "fsyncUnlock" and not self.locks:
            raise OperationFailure("fsyncUnlock called when not locked")
        self.locks += {"fsync": 1, "fsyncUnlock": -1}.get(name, 0)
        return {"fsyncLock": True} if self.locks else {}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    own = Server()
    monkeypatch.setattr(standstill, "connect", lambda _uri: own)
    signals = (*standstill.ENDING, signal.SIGINT)
    before = [signal.getsignal(number) for number in signals]
    yield own
    assert [signal.getsignal(number) for number in signals] == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_backup_and_releases_the_server(server: Server, number: signal.Signals) -> None:
    seen = []
    with pytest.raises((Stopped, KeyboardInterrupt)), held_still("mongodb://synthetic"):  # noqa: PT012
        seen.append(server.locks)
        os.kill(os.getpid(), number)
    assert (seen, server.locks) == ([1], 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_second_signal_does_not_leave_the_server_held(
    server: Server, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = server.command

    def signalled(name: str, *arguments: Any, **options: Any) -> dict[str, Any]:
        if name == "fsyncUnlock":
            os.kill(os.getpid(), number)
        return command(name, *arguments, **options)

    monkeypatch.setattr(server, "command", signalled)
    with pytest.raises((Stopped, KeyboardInterrupt)), held_still("mongodb://synthetic"):
        os.kill(os.getpid(), number)
    assert server.locks == 0


def test_one_that_is_held_already_is_left_as_it_is(server: Server) -> None:
    server.locks = 1
    with pytest.raises(LockedAlready), held_still("mongodb://synthetic"):
        pytest.fail("copied")
    assert server.locks == 1


def test_a_server_that_took_writes_meanwhile_makes_no_backup(server: Server) -> None:
    with pytest.raises(ReleasedMeanwhile), held_still("mongodb://synthetic"):
        server.locks = 0


def test_a_right_that_is_missing_is_not_called_a_release(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, *_: Any, **__: Any) -> dict[str, Any]:
        if name == "fsync":
            raise OperationFailure("not authorized to execute fsync", 13)
        return {}

    monkeypatch.setattr(server, "command", refuse)
    with pytest.raises(OperationFailure, match="not authorized"), held_still("mongodb://synthetic"):
        pytest.fail("copied")

"""Kafka, MongoDB and SMTP for all processes of a test run, kept by `python -m tests.servers FOLDER`.

The first process that needs the servers starts the keeper; the others attach. Each user holds a shared lock, which
the system frees when the user ends, however it ends. The keeper waits for the exclusive lock and then stops the
servers, so that neither a crash nor Ctrl-C leaves any of them running.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.files import CHECKOUT, Locked, locked
from tools.local.stack import Stack

READY = "ready"


@contextmanager
def attached(folder: Path) -> Iterator[Stack]:
    """Use the servers whose keeper lives in this folder; start it if no other process has."""
    users = _users(folder)
    try:
        with locked(folder / "start.lock", wait=True):
            fcntl.flock(users, fcntl.LOCK_SH)  # waits for a keeper that is stopping
            if not _is_kept(folder):
                _start_keeper(folder)
        yield Stack(_home(folder), services=())
    finally:
        os.close(users)


def await_end(folder: Path) -> None:
    """Wait until the keeper, if any, has stopped the servers."""
    with locked(_keeper_lock(folder), wait=True):
        pass


def keep(folder: Path) -> None:
    """Run the servers until nobody uses them."""
    users = _users(folder)
    with locked(_keeper_lock(folder), wait=False):
        with Stack(_home(folder), services=()) as servers:
            print(READY, flush=True)
            fcntl.flock(users, fcntl.LOCK_EX)
            servers.kill("kafka")  # a clean stop with some hundred topics takes half a minute
        shutil.rmtree(_home(folder), ignore_errors=True)
    os.close(users)


def _home(folder: Path) -> Path:
    return folder / "home"


def _keeper_lock(folder: Path) -> Path:
    return folder / "keeper.lock"


def _users(folder: Path) -> int:
    return os.open(folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)


def _is_kept(folder: Path) -> bool:
    try:
        with locked(_keeper_lock(folder), wait=False):
            return False
    except Locked:
        return True


def _start_keeper(folder: Path) -> None:
    """Start the keeper in a session of its own, where Ctrl-C does not reach it, and wait until the servers serve."""
    log = folder / "keeper.log"
    with log.open("ab") as errors:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.servers", str(folder)],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    assert keeper.stdout is not None
    with keeper.stdout as output:
        if output.readline().decode().strip() != READY:
            raise RuntimeError(f"the servers did not start:\n{log.read_text(errors='replace')}")


if __name__ == "__main__":
    keep(Path(sys.argv[1]))

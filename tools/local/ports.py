"""Free ports on this machine; no two processes that choose here ever choose the same."""

import random
import socket
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from functools import cache
from itertools import cycle, islice

from tools.files import Locked, locked
from tools.local.cache import cache_folder

FIRST = 20_000
PORTS_EACH = 400
PROCESSES = 30

_reservation = ExitStack()


def is_free(port: int) -> bool:
    """Return True if no process listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose(taken: Collection[int]) -> int:
    """Return a free port below the ephemeral range, so that a restart finds it free. Raises OSError."""
    for port in islice(_own(), PORTS_EACH):
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no port of the {PORTS_EACH} that this process may choose from is free")


@cache
def _own() -> Iterator[int]:
    """Yield the ports reserved for this process, so that no other stack takes the port of a stopped service."""
    locks = cache_folder() / "ports"
    for number in random.sample(range(PROCESSES), PROCESSES):
        try:
            _reservation.enter_context(locked(locks / f"{number}.lock", wait=False))
        except Locked:
            continue
        first = FIRST + number * PORTS_EACH
        return cycle(range(first, first + PORTS_EACH))
    raise OSError(f"{PROCESSES} processes have chosen ports already, and all still run: {locks}")


def answers(where: str) -> bool:
    """Return True if a server accepts connections at `host:port`."""
    host, _, port = where.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=2):
            return True
    except OSError:
        return False

"""Free ports on this machine."""

import random
import socket
from collections.abc import Collection


def is_free(port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose(taken: Collection[int]) -> int:
    """A free port below those that the system hands to outgoing connections, so that a restart finds it free."""
    while True:
        port = random.randint(20_000, 32_000)  # noqa: S311
        if port not in taken and is_free(port):
            return port


def answers(where: str) -> bool:
    """Whether somebody accepts connections at `host:port`."""
    host, _, port = where.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=2):
            return True
    except OSError:
        return False

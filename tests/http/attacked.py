"""A service's HTTP without its database, as a process: `python -m tests.http.attacked`, and its attackers' sockets."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from fastapi import APIRouter, FastAPI, Request

from shared.http.app import make_app
from shared.http.auth import WRITERS, Principal, allow
from shared.runtime.database import connect
from shared.runtime.process import lifespan_of, run
from shared.runtime.settings import Settings
from tests.patience import AT_MOST_SECONDS
from tools.files import CHECKOUT
from tools.local.ports import choose

CONNECTIONS = 100
ACTOR_KEY = "synthetic-key-of-actors-that-all-services-share"
NORMAL = b"GET /healthz HTTP/1.1\r\nHost: synthetic\r\n\r\n"


def make(settings: Settings) -> FastAPI:
    """Compose health, the pages about the API, and one route of either kind: with a token, and without."""
    database, routes = connect(settings, "meetings"), APIRouter()

    @routes.post("/open")
    async def read_all(request: Request) -> int:
        return len(await request.body())

    @routes.get("/guarded")
    async def guarded(_caller: Principal = allow(WRITERS | {"focal_point"})) -> None: ...

    return make_app("meetings", settings, database, [routes], [], lifespan_of(database, [], []))


@dataclass
class Attacked:
    """The process under attack."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connection(self, *sent: bytes) -> socket.socket:
        """Open a socket, and send what it begins with."""
        opened = socket.create_connection(("127.0.0.1", self.port), timeout=AT_MOST_SECONDS)
        for each in sent:
            opened.sendall(each)
        return opened

    def memory(self) -> int:
        """The most bytes of memory that the process ever held."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def answers(self) -> None:
        """Assert that a normal request is answered."""
        answer = httpx2.get(f"{self.url}/healthz", timeout=AT_MOST_SECONDS, trust_env=False)
        assert answer.json() == {"status": "alive"}

    def closed(self, rule: str) -> float:
        """How many connections were closed by this rule."""
        text = httpx2.get(f"{self.url}/metrics", timeout=AT_MOST_SECONDS, trust_env=False).text
        series = f'throughline_closed_connections_total{{rule="{rule}",service="meetings"}} '
        return sum(float(line.removeprefix(series)) for line in text.splitlines() if line.startswith(series))


def received(opened: socket.socket) -> bytes:
    """Return all that a socket receives until it is closed, as by the server."""
    parts: list[bytes] = []
    try:
        while part := opened.recv(65_536):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + AT_MOST_SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@contextmanager
def attacked(**settings: str) -> Iterator[Attacked]:
    """Run the process, some settings given."""
    port = choose(())
    given = {
        "THROUGHLINE_KAFKA": "127.0.0.1:1",
        "THROUGHLINE_MONGODB": "mongodb://127.0.0.1:1",
        "THROUGHLINE_DATABASE": "synthetic",
        "THROUGHLINE_JWKS": "none",
        "THROUGHLINE_ACTOR_KEY": ACTOR_KEY,
        "THROUGHLINE_PORT": str(port),
        "THROUGHLINE_CONNECTIONS": str(CONNECTIONS),
        "THROUGHLINE_LOG_LEVEL": "ERROR",
    }
    given |= {f"THROUGHLINE_{name.upper()}": value for name, value in settings.items()}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("THROUGHLINE_")}
    command = [sys.executable, "-m", "tests.http.attacked"]
    with subprocess.Popen(command, env=inherited | given, cwd=CHECKOUT) as process:
        try:
            running = Attacked(process, port)
            until(lambda: _is_served(running))
            yield running
        finally:
            process.kill()


def _is_served(running: Attacked) -> bool:
    assert running.process.poll() is None, "it ended"
    try:
        running.answers()
    except httpx2.TransportError:
        return False
    return True


if __name__ == "__main__":
    run("meetings", make, Settings)

"""One process of a service, run by the sabotage launcher."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import httpx2

from tests.faults.rig.patience import AT_MOST
from tests.faults.rig.points import FOLDER, Points
from tests.faults.rig.version import CURRENT, Version
from tools.local.processes import Child, spawn, wait_until
from tools.local.service import is_ready


class Instance:
    """A process of a service on a port of its own."""

    def __init__(
        self, service: str, number: int, home: Path, environment: Mapping[str, str], version: Version = CURRENT
    ) -> None:
        self.service = service
        self.version = version
        self.name = f"{service} {number}"
        self.url = f"http://127.0.0.1:{environment['THROUGHLINE_PORT']}"
        self._log = home / "logs" / f"{service}-{number}.log"
        folder = home / "points" / f"{service}-{number}"
        self.points = Points(folder)
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("THROUGHLINE_")}
        self._environment = {**inherited, **environment, FOLDER: str(folder), "PYTHONUNBUFFERED": "1"}
        self._http = httpx2.Client(trust_env=False, timeout=3)
        self._child: Child | None = None

    def start(self) -> None:
        """Start the process without waiting."""
        command = [str(self.version.python), "-m", "tests.faults.rig.sabotage", self.service]
        environment = self._environment | self.version.settings
        self._child = spawn(self.name, command, self._log, environment, folder=self.version.folder)

    def await_ready(self, seconds: float = AT_MOST) -> None:
        """Wait until `/readyz` says yes."""
        wait_until(self.child, self.ready, seconds)

    @property
    def child(self) -> Child:
        """The last process started."""
        assert self._child is not None, f"{self.name} was never started"
        return self._child

    @property
    def running(self) -> bool:
        """True while the process exists, even if it is stopped."""
        return self._child is not None and self._child.running()

    def signal(self, sign: signal.Signals) -> None:
        """Send a signal to the process."""
        self.child.process.send_signal(sign)

    def kill(self) -> None:
        """Kill the process, and wait until it has exited."""
        self.signal(signal.SIGKILL)
        self.child.process.wait()

    def end(self, grace: float = 45) -> int:
        """Send SIGTERM and wait; return the exit code, -9 if the process was killed after the grace period."""
        self.signal(signal.SIGTERM)
        try:
            return self.child.process.wait(grace)
        except subprocess.TimeoutExpired:
            self.kill()
            return -signal.SIGKILL

    def stopped(self, within: float) -> bool:
        """Wait until the process has stopped itself (SIGSTOP) at an armed point; return False if it has not."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            if Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T":
                return True
            time.sleep(0.02)
        return False

    def restart(self) -> None:
        """Start the process again, and wait until it is ready."""
        self.start()
        self.await_ready()

    def troubles(self) -> str:
        """Return what `/readyz` says, or nothing while the process does not answer."""
        try:
            return self._http.get(f"{self.url}/readyz").text
        except httpx2.HTTPError:
            return ""

    def ready(self) -> bool:
        """Tell whether `/readyz` says yes."""
        return is_ready(self.url, self._http)

"""The running processes of a home folder, by name: begun, awaited, stopped, killed and started again."""

import os
import signal
import time
from pathlib import Path

from tools.local.memory import Memory
from tools.local.messages import CannotStart, Say
from tools.local.processes import Child, end, spawn
from tools.local.server import Server


class AlreadyRunning(CannotStart):
    """A stack, or a part of it, that runs already."""


class Running:
    """The servers and services that this process started."""

    def __init__(self, home: Path, say: Say) -> None:
        self.home = home.resolve()
        self.memory = Memory(self.home)
        self._say = say
        self._servers: dict[str, Server] = {}
        self._children: dict[str, Child] = {}

    def _begin(self, server: Server) -> None:
        self._servers[server.name] = server
        server.prepare()
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("THROUGHLINE_")}
        environment = inherited | dict(server.environment()) | {"PYTHONUNBUFFERED": "1"}
        log = self.home / "logs" / f"{server.name}.log"
        self._children[server.name] = spawn(server.name, server.command(), log, environment, self._say)
        self.memory.note_processes(list(self._children.values()))

    def _await_ready(self, server: Server) -> None:
        server.await_ready(self._children[server.name])
        self._say(f"{server.name} is ready on {server.where}")

    def start_one(self, name: str) -> None:
        """Restart a stopped server or service, on the same port and data."""
        if self._child(name).running():
            raise AlreadyRunning(f"{name} is running.")
        self._begin(self._servers[name])
        self._await_ready(self._servers[name])

    def stop_one(self, name: str) -> None:
        """Terminate one server or service, and wait until it ended."""
        end([self._child(name)])

    def kill(self, name: str, sig: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to one server or service; after SIGKILL, wait until it is gone."""
        child = self._child(name)
        child.process.send_signal(sig)
        if sig is signal.SIGKILL:
            child.process.wait()

    def _child(self, name: str) -> Child:
        if name not in self._children:
            raise LookupError(f"{name} is not run by this stack, which runs: {', '.join(self._children) or 'nothing'}")
        return self._children[name]

    def pids(self) -> dict[str, int]:
        """Return the ids of the running processes, by name."""
        return {name: child.pid for name, child in self._children.items() if child.running()}

    def watch(self) -> None:
        """Wait until Ctrl-C or a signal; report each process that ends by itself."""
        ended: set[str] = set()
        while True:
            for name, child in self._children.items():
                if not child.running() and name not in ended:
                    ended.add(name)
                    self._say(f"{name} ended with exit code {child.process.returncode}: see {child.log}")
            time.sleep(0.5)

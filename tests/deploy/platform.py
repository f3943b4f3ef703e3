"""The platform of deploy/compose.yaml under a project of its own, as an operator runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from shared.events.services import SERVICES
from tests.deploy import tools
from tests.deploy.engine import Engine
from tools.files import CHECKOUT

JOBS = ("mongo-init", "indexes", "users", "topics")
SERVERS = ("kafka", "mongo", *SERVICES, "console", "sign-in", "mail")
UP_SECONDS, READY_SECONDS = 900, 300


class NotAsExpected(Exception):
    """A deployment that does not do what its files promise; the message says what it did."""


class Platform:
    """One project of compose, with its secrets in a folder."""

    def __init__(
        self, engine: Engine, project: str, files: Sequence[str], secrets: Path, environment: Mapping[str, str]
    ) -> None:
        self._engine, self._project, self._files = engine, project, files
        self._environment = {**environment, "THROUGHLINE_SECRETS": str(secrets), "DOCKER_HOST": engine.host}
        self.console = f"http://127.0.0.1:{environment['THROUGHLINE_CONSOLE_PORT']}"

    def compose(
        self, *arguments: str, seconds: float = UP_SECONDS, environment: Mapping[str, str] | None = None
    ) -> str:
        """Run a command of compose and return its output. Raises NotAsExpected."""
        command = [tools.compose(), "--project-name", self._project]
        command += [word for file in self._files for word in ("--file", str(CHECKOUT / "deploy" / file))]
        own = {name: value for name, value in os.environ.items() if not name.startswith("THROUGHLINE_")}
        ran = subprocess.run(
            [*command, *arguments],
            env=own | self._environment | (environment or {}),
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
        if ran.returncode:
            raise NotAsExpected(f"{' '.join(arguments)}: {ran.returncode}\n{ran.stdout[-4_000:]}{ran.stderr[-4_000:]}")
        return ran.stdout

    def up(self) -> None:
        """Start everything and return when it is ready; on failure, name what the containers say."""
        try:
            self.compose("up", "--detach", "--wait", "--wait-timeout", str(UP_SECONDS), seconds=UP_SECONDS + 60)
        except (NotAsExpected, subprocess.TimeoutExpired) as failure:
            raise NotAsExpected(f"{failure}\n{self.description()}") from None

    def down(self, *, volumes: bool = False) -> None:
        """Stop and remove everything; the volumes only where that is wanted."""
        self.compose("--profile", "*", "down", "--remove-orphans", *(["--volumes"] if volumes else []))

    def job(self, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """Run a job to its end and return what it prints."""
        return self.compose("run", "--rm", "--no-TTY", name, *arguments, environment=environment)

    def cli(self, *arguments: str, token: str = "") -> str:
        """Run a command of the command line in the image."""
        return self.job("cli", *arguments, environment={"THROUGHLINE_TOKEN": token})

    def description(self) -> str:
        """Return the state of each container, and the end of what the unhealthy ones print."""
        lines = []
        for name in (*SERVERS, *JOBS):
            state = self.state(name)
            lines.append(f"{name}: {state.get('Status')}, {state.get('Health', {}).get('Status', 'no check')}")
            if state.get("ExitCode") or state.get("Health", {}).get("Status") not in (None, "healthy"):
                lines.append(self.compose("logs", "--no-color", "--tail", "25", name)[-3_000:])
        return "\n".join(lines)

    def inspected(self, name: str) -> dict[str, Any]:
        """Return what the engine knows of a container; nothing where there is none."""
        ident = self.compose("ps", "--all", "--quiet", name).strip()
        if not ident:
            return {}
        described: list[dict[str, Any]] = json.loads(self._engine.docker("inspect", ident))
        return described[0]

    def state(self, name: str) -> dict[str, Any]:
        """Return the state of a container."""
        state: dict[str, Any] = self.inspected(name).get("State", {})
        return state

    def kill(self, name: str) -> None:
        """Kill the first process of a container, as a crash does: the engine is to start it again."""
        before = self.state(name)
        os.kill(int(before["Pid"]), signal.SIGKILL)
        wait_until(lambda: self.state(name).get("StartedAt") != before["StartedAt"], f"{name} was not started again")

    def await_healthy(self, name: str) -> None:
        """Wait until a container runs and its check says so, where it has one."""

        def healthy() -> bool:
            state = self.state(name)
            return bool(state.get("Running")) and state.get("Health", {}).get("Status", "healthy") == "healthy"

        wait_until(healthy, f"{name} is not healthy again", self.description)


def wait_until(done: Callable[[], bool], what: str, explain: Callable[[], str] = str) -> None:
    """Wait for something. Raises NotAsExpected."""
    until = time.monotonic() + READY_SECONDS
    while not done():
        if time.monotonic() > until:
            raise NotAsExpected(f"{what} after {READY_SECONDS} s\n{explain()}")
        time.sleep(1)

"""The platform of deploy/compose.yaml under a project of its own, as an operator runs it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.events.services import SERVICES
from tests.deploy import load, tools
from tests.deploy.engine import Engine
from tools.files import CHECKOUT

JOBS = ("mongo-init", "indexes", "users", "topics")
UP_SECONDS, READY_SECONDS, READ_BACK_SECONDS = 900, 300, 600
LOAD = Path(load.__file__)
STAND_INS = Path(__file__).with_name("images") / "compose.yaml"


class NotAsExpected(Exception):
    """A deployment that does not do what its files promise; the message says what it did."""


@dataclass(frozen=True)
class Variant:
    """A way to run the platform: the files, the file of settings, and how many there are of what.

    A service's instances are restarted round by round.
    """

    files: tuple[str, ...]
    settings: str = ""
    brokers: tuple[str, ...] = ("kafka",)
    rounds: tuple[tuple[str, ...], ...] = (SERVICES,)

    @property
    def is_single(self) -> bool:
        """Tell whether there is one of each service."""
        return len(self.rounds) == 1

    @property
    def is_secure(self) -> bool:
        """Tell whether TLS is between all, as in production."""
        return len(self.files) > 1

    @property
    def instances(self) -> tuple[str, ...]:
        """The names of all instances of services."""
        return tuple(name for names in self.rounds for name in names)

    @property
    def servers(self) -> tuple[str, ...]:
        """The names of all containers that stay."""
        return (*self.brokers, "mongo", *self.instances, "console", "sign-in", "mail")


VARIANTS = {
    "plain": Variant(("compose.yaml",)),
    "tls": Variant(("compose.yaml", "compose.tls.yaml")),
    "scale": Variant(
        ("compose.yaml",),
        settings="scale.env",
        brokers=("kafka", "kafka-2", "kafka-3"),
        rounds=(SERVICES, tuple(f"{service}-2" for service in SERVICES)),
    ),
}


class Platform:
    """One project of compose, with its secrets in a folder."""

    def __init__(
        self, engine: Engine, project: str, variant: Variant, secrets: Path, environment: Mapping[str, str]
    ) -> None:
        self._engine, self._project, self.variant = engine, project, variant
        self._environment = {**environment, "THROUGHLINE_SECRETS": str(secrets), "DOCKER_HOST": engine.host}
        self.console = f"http://127.0.0.1:{environment['THROUGHLINE_CONSOLE_PORT']}"
        self.prometheus = f"http://127.0.0.1:{environment['THROUGHLINE_PROMETHEUS_PORT']}"

    def compose(
        self, *arguments: str, seconds: float = UP_SECONDS, environment: Mapping[str, str] | None = None
    ) -> str:
        """Run a command of compose and return its output. Raises NotAsExpected."""
        ran = subprocess.run(
            [*self._command(), *arguments],
            env=self._environment_of_process(environment or {}),
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
        if ran.returncode:
            raise NotAsExpected(f"{' '.join(arguments)}: {ran.returncode}\n{ran.stdout[-4_000:]}{ran.stderr[-4_000:]}")
        return ran.stdout

    def _command(self) -> list[str]:
        command = [tools.compose(), "--project-name", self._project]
        if self.variant.settings:
            command += ["--env-file", str(CHECKOUT / "deploy" / self.variant.settings)]
        files = [*(CHECKOUT / "deploy" / file for file in self.variant.files), STAND_INS]
        return command + [word for file in files for word in ("--file", str(file))]

    def _environment_of_process(self, more: Mapping[str, str]) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("THROUGHLINE_")}
        return own | self._environment | dict(more)

    def set(self, variable: str, value: str) -> None:
        """Set a variable of the compose files from now on."""
        self._environment[variable] = value

    def up(self) -> None:
        """Start everything and return when it is ready; on failure, name what the containers say."""
        try:
            self.compose("up", "--detach", "--wait", "--wait-timeout", str(UP_SECONDS), seconds=UP_SECONDS + 60)
        except (NotAsExpected, subprocess.TimeoutExpired) as failure:
            raise NotAsExpected(f"{failure}\n{self.description()}") from None

    def down(self, *, volumes: bool = False) -> None:
        """Stop and remove everything; the volumes only where that is wanted."""
        self.compose("--profile", "*", "down", "--remove-orphans", *(["--volumes"] if volumes else []))

    def lose_volume(self, name: str) -> None:
        """Delete a server's container and the volume of the same name."""
        self.compose("rm", "--stop", "--force", name)
        self._engine.docker("volume", "rm", f"{self._project}_{name}")

    def job(self, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """Run a job to its end and return what it prints."""
        return self.compose("run", "--rm", "--no-TTY", name, *arguments, environment=environment)

    def attempt(self, *arguments: str) -> str:
        """Run a command of compose, however it ends, and return what it says."""
        try:
            return self.compose(*arguments)
        except NotAsExpected as fault:
            return str(fault)

    def cli(self, *arguments: str, token: str = "") -> str:
        """Run a command of the command line in the image."""
        return self.job("cli", *arguments, environment={"THROUGHLINE_TOKEN": token})

    @contextmanager
    def under_load(self, run: str, token: str) -> Iterator[load.Outcome]:
        """Send commands from a container beside the console; the outcome is whole once the body has ended."""
        command = [*self._command(), "run", "--rm", "--no-TTY", "--no-deps", "--entrypoint", "python3"]
        command += ["--env", f"THROUGHLINE_TOKEN={token}", "--volume", f"{LOAD}:/load.py:ro"]
        command += ["console", "/load.py", run]
        outcome = load.Outcome()
        own, pipe = self._environment_of_process({}), subprocess.PIPE
        with subprocess.Popen(command, env=own, stdin=pipe, stdout=pipe, text=True) as process:
            assert process.stdout is not None
            try:
                if process.stdout.readline().strip() != load.BEGUN:
                    raise NotAsExpected(f"the load did not begin: {process.wait(60)}")
                yield outcome
                output, _ = process.communicate("end\n", timeout=READ_BACK_SECONDS)
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            raise NotAsExpected(f"the load ended with {process.returncode}: {output}")
        for field, value in json.loads(output).items():
            setattr(outcome, field, value)

    def description(self) -> str:
        """Return the state of each container, and the end of what the unhealthy ones print."""
        lines = []
        for name in (*self.variant.servers, *JOBS):
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

    def await_answer(self, name: str, port: int) -> float:
        """Wait until a port of a container takes connections; return the time."""

        def answers() -> bool:
            networks = self.inspected(name)["NetworkSettings"]["Networks"].values()
            with suppress(OSError), socket.create_connection((next(iter(networks))["IPAddress"], port), timeout=1):
                return True
            return False

        wait_until(answers, f"{name}:{port} takes no connections")
        return time.time()

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
        time.sleep(0.5)

"""The parent's side of a job: start it, send `go`, receive its answer."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

Answer = dict[str, Any]


class JobFailed(Exception):
    """A job ended without an answer."""


class Child:
    """A job in a process of its own, which waits for `go`."""

    def __init__(self, job: str, **arguments: Any) -> None:
        self._job = job
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.job", job],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._send(json.dumps(arguments))

    def ready(self) -> None:
        """Wait until it is prepared."""
        if self._receive() != "ready":
            raise JobFailed(f"{self._job} did not get ready")

    def go(self) -> None:
        """Send `go`."""
        self._send("go")

    def stop(self) -> None:
        """Send `stop`."""
        self._send("stop")

    def answer(self) -> Answer:
        """Return its answer, and wait for its end."""
        answer: Answer = json.loads(self._receive())
        self._process.wait()
        self._errors.close()
        return answer

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _receive(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            raise JobFailed(f"{self._job} failed:\n{self._errors.read()[-4_000:]}")
        return line


def run(job: str, **arguments: Any) -> Answer:
    """Run one job to its end."""
    return run_all([(job, arguments)])[0]


def run_all(jobs: Sequence[tuple[str, dict[str, Any]]], until: Callable[[], None] | None = None) -> list[Answer]:
    """Run jobs concurrently: all begin when all are prepared, and stop when `until` returns, if given."""
    children: list[Child] = []
    try:
        for job, arguments in jobs:
            children.append(Child(job, **arguments))
        for child in children:
            child.ready()
        for child in children:
            child.go()
        if until is not None:
            until()
            for child in children:
                child.stop()
        return [child.answer() for child in children]
    finally:
        for child in children:
            child.end()

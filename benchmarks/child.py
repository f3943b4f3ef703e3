"""The parent's side of a work: begin it, let it go, hear its answer."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

Answer = dict[str, Any]


class WorkFailed(Exception):
    """A work ended without an answer."""


class Child:
    """A work in a process of its own, prepared and waiting."""

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
        self._tell(json.dumps(arguments))

    def ready(self) -> None:
        """Wait until it is prepared."""
        if self._hear() != "ready":
            raise WorkFailed(f"{self._job} did not get ready")

    def go(self) -> None:
        """Let it begin."""
        self._tell("go")

    def stop(self) -> None:
        """Tell it that enough was seen."""
        self._tell("stop")

    def answer(self) -> Answer:
        """Return what it came to."""
        answer: Answer = json.loads(self._hear())
        self._process.wait()
        self._errors.close()
        return answer

    def end(self) -> None:
        """End it, however far it is."""
        self._process.kill()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            raise WorkFailed(f"{self._job} failed:\n{self._errors.read()[-4_000:]}")
        return line


def run(job: str, **arguments: Any) -> Answer:
    """Run one work to its end."""
    return run_all([(job, arguments)])[0]


def run_all(jobs: Sequence[tuple[str, dict[str, Any]]], until: Callable[[], None] | None = None) -> list[Answer]:
    """Run works side by side: all begin when all are prepared, and stop when `until` returns, if it is given."""
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

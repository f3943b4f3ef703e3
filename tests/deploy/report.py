"""The list of what a run did: each step with its time, and the versions of all that took part."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Report:
    """Steps in the order in which they ran; one that fails ends the run."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self.versions: dict[str, str] = {}

    @contextmanager
    def step(self, what: str) -> Iterator[list[str]]:
        """Time a step; what it appends to the list stands behind it."""
        print(f"... {what}", file=sys.stderr, flush=True)
        began, remarks = time.monotonic(), list[str]()
        try:
            yield remarks
        except BaseException:
            self._add("FAILED", what, began, remarks)
            raise
        self._add("ran", what, began, remarks)

    def not_run(self, what: str, why: str) -> None:
        """Say loudly that something did not run, and why."""
        self._lines.append(line := f"NOT RUN          {what}: {why}")
        print(f"\n{'!' * len(line)}\n{line}\n{'!' * len(line)}\n", file=sys.stderr, flush=True)

    def _add(self, outcome: str, what: str, began: float, remarks: list[str]) -> None:
        line = f"{outcome:<7}{time.monotonic() - began:6.0f} s  {what}{': ' if remarks else ''}{', '.join(remarks)}"
        self._lines.append(line)
        print(line, file=sys.stderr, flush=True)

    def show(self) -> None:
        """Print the whole list."""
        print("\nVersions")
        for name, version in self.versions.items():
            print(f"  {name:<24}{version}")
        print("\nWhat ran")
        for line in self._lines:
            print(f"  {line}")

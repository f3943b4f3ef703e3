"""A work in a process of its own: `python -m benchmarks.job NAME`, its arguments as a line of JSON on standard input.

It says `ready` when it is prepared, begins at `go`, may be told to `stop`, and answers with a line of JSON. What it
prints goes to standard error.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO

import uvloop


class Gate:
    """Where a work waits for its parent, so that what is prepared is not measured."""

    def __init__(self, told: TextIO, tells: TextIO) -> None:
        self._told = told
        self._tells = tells
        self.cpu_before = 0.0

    async def go(self) -> None:
        """Say that everything is prepared, and wait for the word."""
        self.say("ready")
        await asyncio.to_thread(self._told.readline)
        self.cpu_before = time.process_time()

    async def stop(self) -> None:
        """Wait until the parent has seen enough."""
        await asyncio.to_thread(self._told.readline)

    def say(self, line: str) -> None:
        """Tell the parent a line."""
        print(line, file=self._tells, flush=True)


def peak_mb() -> float:
    """Return the most memory that this process has held at once, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise OSError("this system does not say how much memory a process held")


def main() -> None:
    """Run the work that is named, and answer."""
    tells = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    module, _, name = sys.argv[1].partition(".")
    work = getattr(importlib.import_module(f"benchmarks.jobs.{module}"), name)
    arguments: dict[str, Any] = json.loads(sys.stdin.readline())
    gate = Gate(sys.stdin, tells)
    answer = uvloop.run(work(gate, **arguments))
    gate.say(json.dumps(answer | {"peak_mb": peak_mb(), "cpu": time.process_time() - gate.cpu_before}))
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()

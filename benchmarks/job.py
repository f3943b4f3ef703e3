"""A job in a process of its own: `python -m benchmarks.job NAME`, its arguments as a line of JSON on standard input.

It sends `ready` when it is prepared, begins at `go`, ends at `stop` if it runs until then, and answers with a line of
JSON. Its own output goes to standard error.
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

from shared.runtime.tracing import traced


class Gate:
    """The start signal of a job: its parent sends it, so that preparation is not measured."""

    def __init__(self, commands: TextIO, answers: TextIO) -> None:
        self._commands = commands
        self._answers = answers
        self.cpu_before = 0.0

    async def go(self) -> None:
        """Report that the job is prepared, and wait for `go`."""
        self.send("ready")
        await asyncio.to_thread(self._commands.readline)
        self.cpu_before = time.process_time()

    async def stop(self) -> None:
        """Wait for `stop`."""
        await asyncio.to_thread(self._commands.readline)

    def send(self, line: str) -> None:
        """Send the parent a line."""
        print(line, file=self._answers, flush=True)


def peak_mb() -> float:
    """Return the peak memory of this process, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise OSError("this system does not report the peak memory of a process")


def main() -> None:
    """Run the named job, and answer."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    module, _, name = sys.argv[1].partition(".")
    job = getattr(importlib.import_module(f"benchmarks.jobs.{module}"), name)
    arguments: dict[str, Any] = json.loads(sys.stdin.readline())
    gate = Gate(sys.stdin, answers)
    with traced("benchmark", "benchmark-0"):
        answer = uvloop.run(job(gate, **arguments))
    gate.send(json.dumps(answer | {"peak_mb": peak_mb(), "cpu": time.process_time() - gate.cpu_before}))
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()

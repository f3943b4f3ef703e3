"""Stacks in processes of their own, and which of their processes still run."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.patience import AT_MOST_SECONDS
from tools.local.memory import Memory
from tools.local.processes import identity

UP = "from tools.cli.app import app; app()"


@contextmanager
def another_process_runs(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Run `throughline stack up --servers-only` in another process, and wait until it reports that it is up."""
    command = [sys.executable, "-c", UP, "stack", "up", "--servers-only", "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            lines = iter(process.stdout.readline, "") if process.stdout else iter(())
            assert any(line.startswith("A token for the services:") for line in lines), "it ended before it was up"
            yield process
        finally:
            process.kill()


def running_processes(home: Path) -> dict[str, tuple[int, str]]:
    """Return id and start time of each running process of a home's stack, by name."""
    return {name: (pid, identity(pid) or "") for name, pid in Memory(home).processes().items()}


def all_end(processes: dict[str, tuple[int, str]], seconds: float = AT_MOST_SECONDS) -> bool:
    """Return True if all these processes end within the time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if all(identity(pid) != begun for pid, begun in processes.values()):
            return True
        time.sleep(0.05)
    return False

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

UP = "from tools.cli.stack import stack; stack()"


@contextmanager
def another_process_runs(home: Path) -> Iterator[subprocess.Popen[str]]:
    """`throughline stack up --servers-only` in a process of its own, once it says that it is up."""
    command = [sys.executable, "-c", UP, "up", "--servers-only", "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            lines = iter(process.stdout.readline, "") if process.stdout else iter(())
            assert any(line.startswith("A token for the services:") for line in lines), "it ended before it was up"
            yield process
        finally:
            process.kill()


def what_runs(home: Path) -> dict[str, tuple[int, str]]:
    """Process ids that the home's stack noted, with when each began."""
    return {name: (pid, identity(pid) or "") for name, pid in Memory(home).processes().items()}


def none_is_left(noted: dict[str, tuple[int, str]], seconds: float = AT_MOST_SECONDS) -> bool:
    """Tell whether all of these processes have ended, at the latest after the time given."""
    deadline = time.monotonic() + seconds
    while any(identity(pid) == begun for pid, begun in noted.values()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True

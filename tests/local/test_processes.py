"""The start of a process is awaited for as long as it lives, and reported meanwhile."""

import os
import sys
from pathlib import Path

import pytest

from tools.local import processes
from tools.local.messages import CannotStart, Say
from tools.local.processes import Child, end, spawn, wait_until


def started(code: str, log: Path, say: Say) -> Child:
    """Start a Python process that runs the code."""
    return spawn("synthetic", [sys.executable, "-c", code], log, os.environ, say)


def test_a_slow_start_is_awaited_and_reported_with_the_last_log_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "STILL_STARTING_SECONDS", 0.01)
    reports: list[str] = []
    log = tmp_path / "synthetic.log"
    code = "import time; print('loading', flush=True); time.sleep(3_600)"
    child = started(code, log, reports.append)
    try:
        wait_until(child, lambda: any("loading" in line for line in reports))
    finally:
        end([child])
    assert all(line.startswith("synthetic is still starting after ") for line in reports)
    assert reports[-1].endswith(f"{log} ends with: loading")


def test_a_process_that_ends_before_it_is_ready_fails_immediately_with_the_end_of_its_log(tmp_path: Path) -> None:
    child = started("import sys; print('no disk'); sys.exit(7)", tmp_path / "synthetic.log", lambda _: None)
    with pytest.raises(CannotStart, match=r"(?s)synthetic ended with exit code 7 before it was ready\..*no disk"):
        wait_until(child, lambda: False)

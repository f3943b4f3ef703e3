"""Rows of starting: the processor time of a command, against that of an interpreter that does nothing."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.servers import progress
from benchmarks.stand_in import home_of_stand_in
from benchmarks.table import Row
from services.recommendations.trace import trace_bytes
from tools.replay.replayer import Replayer
from tools.simulate import records
from tools.simulate.log_keys import synthetic_trust

REPEATS = 7
THROUGHLINE = str(Path(sys.executable).with_name("throughline"))
NOTHING = (sys.executable, "-c", "pass")


def start(file: Path, folder: Path) -> list[Row]:
    """Measure `throughline --help` and `throughline trace X`, in turns with `python -c pass`."""
    trace = median_trace(file)
    reference = trace["recommendation"]["reference"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("THROUGHLINE", "PYTHON"))}
    environment |= {"PYTHONPYCACHEPREFIX": str(folder / "bytecode"), "THROUGHLINE_HOME": str(folder / "home")}
    today = {"date": "2031-02-01", "past_due": [], "stalled": {}}
    with home_of_stand_in(folder / "home", {"trace": trace, "today": today}):
        return [
            _row("throughline --help", (THROUGHLINE, "--help"), 0.5, environment),
            _row(f"throughline trace {reference}", (THROUGHLINE, "trace", reference), 1.0, environment),
        ]


def median_trace(file: Path) -> dict[str, Any]:
    """Return the trace of median size that the records of a file make."""
    with Replayer(synthetic_trust()) as replayer:
        for record in records.read(file):
            replayer.add_record(record.consumed())
        traces: list[dict[str, Any]] = sorted(
            (trace for _, trace in replayer.run(lambda _, trace: trace)), key=lambda trace: len(trace_bytes(trace))
        )
    return traces[len(traces) // 2]


def _row(work: str, command: tuple[str, ...], guide: float, environment: dict[str, str]) -> Row:
    progress(work)
    processor_seconds(command, environment)
    seconds, nothing = [], []
    for _ in range(REPEATS):
        seconds.append(processor_seconds(command, environment))
        nothing.append(processor_seconds(NOTHING, environment))
    times = statistics.median(seconds) / statistics.median(nothing)
    return Row(
        work,
        tuple(1 / each for each in seconds),
        "`python -c pass`",
        tuple(1 / each for each in nothing),
        says=f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})",
        notes=(
            (
                f"processor time of one start, bytecode compiled; {times:.0f} times `python -c pass`, "
                f"which takes {statistics.median(nothing):.3f} s; wanted under {guide:.1f} s"
            ),
            *(("the service is a stand-in that answers with one trace",) if "trace" in command else ()),
        ),
    )


def processor_seconds(command: tuple[str, ...], environment: dict[str, str]) -> float:
    """Run a command and return its processor time, user and system. Raises CalledProcessError where it fails."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_utime + usage.ru_stime

"""The demonstration holds, says so only then, and leaves nothing behind, also when it is broken off."""

from __future__ import annotations

import copy
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.record_in_memory import public_traces
from tests.patience import AT_MOST_SECONDS
from tools.demo import REFERENCES, next_step, unmet_expectations
from tools.files import write


def running_under(folder: Path) -> list[str]:
    """Return the command lines of processes that name a folder."""
    processes = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        processes += [line] if str(folder) in line else []
    return processes


@pytest.fixture
def started(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`python -m tools.demo` in a folder of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("THROUGHLINE_KAFKA")}
    with subprocess.Popen(
        [sys.executable, "-m", "tools.demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment | {"TMPDIR": str(tmp_path)},
        start_new_session=True,
    ) as process:
        yield process
        process.kill()


@pytest.mark.servers
def test_the_demonstration_ends_with_identical_and_leaves_nothing_running(
    started: subprocess.Popen[str], tmp_path: Path
):
    output, errors = started.communicate(timeout=AT_MOST_SECONDS)
    assert started.returncode == 0, errors
    for reference in REFERENCES:
        assert f"The trace of {reference}" in output
    assert output.count("SYNTHETIC:") == 5
    assert "No dead letters." in output
    assert "identical: 2 traces" in output.splitlines()
    assert any(line.startswith("verified: ") for line in output.splitlines())
    assert "identical with the export's digests: 2 traces" in output.splitlines()
    assert output.rstrip().splitlines()[-1].startswith("make up keeps ")
    assert running_under(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.servers
def test_a_demonstration_that_is_broken_off_leaves_nothing_running(started: subprocess.Popen[str], tmp_path: Path):
    assert started.stderr is not None
    until = time.monotonic() + AT_MOST_SECONDS
    while "kafka is ready" not in started.stderr.readline():
        assert time.monotonic() < until
    assert running_under(tmp_path) != []
    started.send_signal(signal.SIGINT)
    _, errors = started.communicate(timeout=AT_MOST_SECONDS)
    assert (started.returncode, "nothing runs any more" in errors) == (130, True), errors
    assert running_under(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_the_next_step_names_the_address_that_a_home_has_had(tmp_path: Path):
    assert next_step(tmp_path).endswith("prints the address of its web console: sign in there as anybody.")
    write(tmp_path / "stack.json", '{"ports": {"console": 40123}}')
    assert "console, http://127.0.0.1:40123 again if that is free: sign in" in next_step(tmp_path)


@pytest.mark.parametrize("reference", REFERENCES)
def test_the_public_record_makes_the_traces_that_are_expected(reference: str):
    assert list(unmet_expectations(public_traces()[reference])) == []


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        (("coverage",), "shallow", "coverage"),
        (("mandates", 0, "status"), "verified", "citations"),
        (("dispositions", 0, "outcome"), "noted", "dispositions"),
        (("transmission", 0, "session"), 6, "sessions"),
        (("gaps",), [], "no gap says"),
    ],
)
def test_a_trace_that_is_not_as_expected_ends_the_demonstration(place: tuple[str | int, ...], value: Any, says: str):
    trace = copy.deepcopy(public_traces()["CED/2022/R1"])
    inner: Any = trace
    for part in place[:-1]:
        inner = inner[part]
    inner[place[-1]] = value
    assert any(says in line for line in unmet_expectations(trace))

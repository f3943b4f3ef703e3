"""An interrupted benchmark loses no part that it had measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.results_file import ResultsFile
from benchmarks.table import Row

PARTS = ("memory", "relay", "peers")
RELAY = Row("relay", (1.0, 2.0, 3.0), "producer", (4.0, 5.0), 0.3, 114.5, notes=("a note",))
MEMORY = Row("replay", says="p50 33 ms")
SIZE = {"backlogs": [10], "relayed": 5}


def test_a_resumed_run_has_the_rows_measured_before(tmp_path: Path):
    ResultsFile(tmp_path / "build/bench.json", SIZE, resume=False).put("relay", [RELAY], "then")
    later = ResultsFile(tmp_path / "build/bench.json", SIZE, resume=True)
    assert [later.has(part) for part in PARTS] == [False, True, False]
    later.put("memory", [MEMORY], "later")
    assert later.rows(PARTS) == [MEMORY, RELAY]
    assert later.circumstances(PARTS) == ["memory: later", "relay: then"]
    assert ResultsFile(tmp_path / "build/bench.json", SIZE, resume=True).rows(PARTS) == [MEMORY, RELAY]


def test_a_run_that_does_not_resume_starts_without_rows(tmp_path: Path):
    ResultsFile(tmp_path / "bench.json", SIZE, resume=False).put("relay", [RELAY], "then")
    fresh = ResultsFile(tmp_path / "bench.json", SIZE, resume=False)
    fresh.put("memory", [MEMORY], "later")
    assert fresh.rows(PARTS) == [MEMORY]


def test_rows_of_two_sizes_are_not_put_into_one_table(tmp_path: Path):
    ResultsFile(tmp_path / "bench.json", SIZE, resume=False).put("relay", [RELAY], "then")
    with pytest.raises(ValueError, match="another size"):
        ResultsFile(tmp_path / "bench.json", SIZE | {"relayed": 6}, resume=True)

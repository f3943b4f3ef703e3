"""A benchmark that was cut short loses no part that it had measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.kept import Kept
from benchmarks.table import Row

PARTS = ("memory", "relay", "peers")
RELAY = Row("relay", (1.0, 2.0, 3.0), "producer", (4.0, 5.0), 0.3, 114.5, notes=("a note",))
MEMORY = Row("replay", says="p50 33 ms")
SIZE = {"backlogs": [10], "relayed": 5}


def test_what_a_run_measured_is_there_for_the_one_that_goes_on(tmp_path: Path):
    Kept(tmp_path / "build/bench.json", SIZE, go_on=False).put("relay", [RELAY], "then")
    later = Kept(tmp_path / "build/bench.json", SIZE, go_on=True)
    assert [later.has(part) for part in PARTS] == [False, True, False]
    later.put("memory", [MEMORY], "later")
    assert later.rows(PARTS) == [MEMORY, RELAY]
    assert later.told(PARTS) == ["memory: later", "relay: then"]
    assert Kept(tmp_path / "build/bench.json", SIZE, go_on=True).rows(PARTS) == [MEMORY, RELAY]


def test_a_run_that_does_not_go_on_begins_anew(tmp_path: Path):
    Kept(tmp_path / "bench.json", SIZE, go_on=False).put("relay", [RELAY], "then")
    anew = Kept(tmp_path / "bench.json", SIZE, go_on=False)
    anew.put("memory", [MEMORY], "later")
    assert anew.rows(PARTS) == [MEMORY]


def test_rows_of_two_sizes_are_not_put_into_one_table(tmp_path: Path):
    Kept(tmp_path / "bench.json", SIZE, go_on=False).put("relay", [RELAY], "then")
    with pytest.raises(ValueError, match="another size"):
        Kept(tmp_path / "bench.json", SIZE | {"relayed": 6}, go_on=True)

"""An interrupted benchmark keeps the parts that it has measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.kept import Kept
from benchmarks.table import Row

PARTS = ("memory", "relay", "peers")
RELAY = Row("relay", (1.0, 2.0, 3.0), "producer", (4.0, 5.0), 0.3, 114.5, notes=("a note",))
MEMORY = Row("replay", says="p50 33 ms")
SIZE = {"backlogs": [10], "relayed": 5}


def test_a_continued_run_has_the_parts_of_the_earlier_run(tmp_path: Path):
    Kept(tmp_path / "build/bench.json", SIZE, go_on=False).put("relay", [RELAY], "then")
    later = Kept(tmp_path / "build/bench.json", SIZE, go_on=True)
    assert [later.has(part) for part in PARTS] == [False, True, False]
    later.put("memory", [MEMORY], "later")
    assert later.rows(PARTS) == [MEMORY, RELAY]
    assert later.told(PARTS) == ["memory: later", "relay: then"]
    assert Kept(tmp_path / "build/bench.json", SIZE, go_on=True).rows(PARTS) == [MEMORY, RELAY]


def test_a_run_that_is_not_continued_starts_empty(tmp_path: Path):
    Kept(tmp_path / "bench.json", SIZE, go_on=False).put("relay", [RELAY], "then")
    fresh = Kept(tmp_path / "bench.json", SIZE, go_on=False)
    fresh.put("memory", [MEMORY], "later")
    assert fresh.rows(PARTS) == [MEMORY]


def test_rows_of_two_sizes_do_not_share_a_table(tmp_path: Path):
    Kept(tmp_path / "bench.json", SIZE, go_on=False).put("relay", [RELAY], "then")
    with pytest.raises(ValueError, match="another size"):
        Kept(tmp_path / "bench.json", SIZE | {"relayed": 6}, go_on=True)

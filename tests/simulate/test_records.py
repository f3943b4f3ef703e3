"""The file of records is read as it was written; another file is refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from shared.consumer.decoding import decode_record
from shared.consumer.record import ConsumedEvent
from shared.events.canonical import leaf_hash
from tests.proofs import TRUST
from tools.simulate.history import history
from tools.simulate.records import read, records_of, write


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A small file of records."""
    file = tmp_path / "synthetic.records"
    write(file, records_of(history(400, seed=2)))
    return file


def test_records_are_read_as_they_were_written(file: Path) -> None:
    expected = list(records_of(history(400, seed=2)))
    assert list(read(file)) == expected


def test_positions_are_dense_in_each_service_and_leaves_are_those_of_the_bytes(file: Path) -> None:
    ends: Counter[str] = Counter()
    for record in read(file):
        assert record.position == ends[record.service]
        assert record.leaf == leaf_hash(record.value)
        ends[record.service] += 1
    assert len(ends) == 4


def test_a_consumer_decodes_every_record(file: Path) -> None:
    for record in read(file):
        assert isinstance(decode_record(record.consumed(), TRUST), ConsumedEvent)


def test_another_file_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(ValueError, match="does not hold synthetic records"):
        list(read(other))


@pytest.mark.parametrize("missing", [1, 900])
def test_a_truncated_file_is_refused(file: Path, missing: int) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:-missing])
    with pytest.raises(ValueError, match="breaks off"):
        list(read(file))

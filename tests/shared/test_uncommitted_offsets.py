"""Consumed but uncommitted offsets, and when they are due."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from shared.consumer import uncommitted_offsets
from shared.consumer.uncommitted_offsets import UncommittedOffsets

A0, A1, B0 = TopicPartition("a", 0), TopicPartition("a", 1), TopicPartition("b", 0)


def records(*places: tuple[TopicPartition, int]) -> list[Any]:
    return [
        SimpleNamespace(topic=part.topic, partition=part.partition, offset=offset, value=b"x")
        for part, offset in places
    ]


def test_the_first_offset_of_a_partition_stays_and_the_next_one_follows_the_last_record() -> None:
    offsets = UncommittedOffsets()
    offsets.add(records((A0, 5), (A0, 6), (B0, 1)))
    offsets.add(records((A1, 9), (A0, 7)))
    assert offsets.first == {A0: 5, A1: 9, B0: 1}
    assert offsets.next == {A0: 8, A1: 10, B0: 2}
    assert offsets.last.keys() == offsets.next.keys()
    assert dict(offsets.counts) == {"a": 4, "b": 1}
    assert len(offsets) == 5


def test_a_rewound_partition_continues_at_the_record_that_came_last() -> None:
    offsets = UncommittedOffsets()
    offsets.add(records((A0, 5), (A0, 6)))
    offsets.add(records((A0, 5)))
    assert (offsets.first[A0], offsets.next[A0]) == (5, 6)


def test_nothing_is_due_without_records_however_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uncommitted_offsets, "FLUSH_EVERY_SECONDS", -1.0)
    assert not UncommittedOffsets().is_due()


def test_records_are_due_by_count_or_by_age(monkeypatch: pytest.MonkeyPatch) -> None:
    offsets = UncommittedOffsets()
    offsets.add(records((A0, 5)))
    assert not offsets.is_due()
    monkeypatch.setattr(uncommitted_offsets, "FLUSH_EVERY_SECONDS", -1.0)
    assert offsets.is_due()
    monkeypatch.setattr(uncommitted_offsets, "FLUSH_EVERY_SECONDS", 1_000.0)
    monkeypatch.setattr(uncommitted_offsets, "FLUSH_EVERY_RECORDS", 1)
    assert offsets.is_due()

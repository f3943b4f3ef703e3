"""The consumer lag in seconds: an upper bound, by partition."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from aiokafka import TopicPartition

from shared.consumer.lag_age import LagAge

ONE, TWO = TopicPartition("synthetic", 0), TopicPartition("synthetic", 1)
BEGUN = 1_000_000.0


def record(partition: TopicPartition, at: float) -> Any:
    return SimpleNamespace(topic=partition.topic, partition=partition.partition, timestamp=int(at * 1_000))


@pytest.fixture
def clock() -> Any:
    """A clock that a test sets."""
    with patch.object(time, "time", return_value=BEGUN) as clock:
        yield clock


def test_without_records_left_there_is_no_lag(clock: Any) -> None:
    age = LagAge()
    clock.return_value = BEGUN + 100
    assert age.measure({ONE: 0, TWO: 0}) == age.measure({}) == 0.0


def test_a_partition_waits_since_its_last_record_or_since_nothing_was_left_in_it(clock: Any) -> None:
    age = LagAge()
    clock.return_value = BEGUN + 10
    assert age.measure({ONE: 5}) == 10.0
    age.consumed([record(ONE, BEGUN + 4)])
    assert age.measure({ONE: 3}) == 6.0
    age.measure({ONE: 0})
    clock.return_value = BEGUN + 12
    assert age.measure({ONE: 1}) == 2.0


def test_one_partition_that_stands_still_is_not_hidden_by_others(clock: Any) -> None:
    age = LagAge()
    age.measure({ONE: 0, TWO: 0})
    clock.return_value = BEGUN + 90
    age.consumed([record(TWO, BEGUN + 90)])
    assert age.measure({ONE: 1, TWO: 1}) == 90.0
    assert age.measure({ONE: 1, TWO: 0}) == 90.0

"""The consumer lag in seconds, without a question to Kafka or a cost for each record."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition


class LagAge:
    """An upper bound of the age of the oldest record that is not consumed.

    In its partition it was published after the last one that is consumed, and after the consumer was current there.
    """

    def __init__(self) -> None:
        self._since: dict[TopicPartition, float] = {}
        self._begun = time.time()

    def consumed(self, last_records: Iterable[ConsumerRecord[Any, Any]]) -> None:
        """Note the time of the last record of each partition of a batch."""
        for record in last_records:
            self._raise(TopicPartition(record.topic, record.partition), record.timestamp / 1_000)

    def measure(self, lags: Mapping[TopicPartition, int]) -> float:
        """Return the age in seconds, where this many records of each partition are not consumed."""
        now = time.time()
        for partition in (each for each, lag in lags.items() if lag == 0):
            self._raise(partition, now)
        return max((now - self._since.get(each, self._begun) for each, lag in lags.items() if lag), default=0.0)

    def _raise(self, partition: TopicPartition, to: float) -> None:
        self._since[partition] = max(to, self._since.get(partition, 0.0))

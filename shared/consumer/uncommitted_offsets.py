"""Consumed but uncommitted offsets, and when they are due to be flushed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from shared.events.canonical import sha256_hex

FLUSH_EVERY_RECORDS = 500_000
FLUSH_EVERY_SECONDS = 30.0


@dataclass
class UncommittedOffsets:
    """Consumed but uncommitted offsets: first and next by partition, the record count by topic, and since when.

    `last` is the SHA-256 of the last record's value, by which a partition that holds other records is known.
    """

    since: float = 0.0
    first: dict[TopicPartition, int] = field(default_factory=dict)
    next: dict[TopicPartition, int] = field(default_factory=dict)
    last: dict[TopicPartition, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        """Return the record count."""
        return self.counts.total()

    def add(self, records: Sequence[ConsumerRecord[Any, Any]]) -> Sequence[ConsumerRecord[Any, Any]]:
        """Add the offsets of a batch, which holds each partition's records in order; return the last of each."""
        self.since = self.since or monotonic()
        first_offsets = {(record.topic, record.partition): record.offset for record in reversed(records)}
        last_records = {(record.topic, record.partition): record for record in records}
        for place, record in last_records.items():
            self.first.setdefault(TopicPartition(*place), first_offsets[place])
            self.next[TopicPartition(*place)] = record.offset + 1
            self.last[TopicPartition(*place)] = sha256_hex(record.value or b"")
        self.counts.update(record.topic for record in records)
        return list(last_records.values())

    def is_due(self) -> bool:
        """Tell whether the flush is due, by record count or by age."""
        return len(self) >= FLUSH_EVERY_RECORDS or (len(self) > 0 and monotonic() - self.since > FLUSH_EVERY_SECONDS)

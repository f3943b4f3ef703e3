"""Kafka's records as they lie there, also those with a header whose name is not UTF-8.

aiokafka raises at such a record before anybody has seen it, and would stand still before it for ever. A batch that it
cannot read is read again here: bytes of a name that are no UTF-8 stay in it as lone surrogates, as in file names.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from aiokafka import ConsumerRecord
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

from shared.consumer.record import KafkaRecord

_HEAD = struct.Struct(">qi")


class _Lenient(bytearray):
    """Bytes of which every part can be decoded."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _Lenient(found) if isinstance(at, slice) else found

    def decode(self, *_: Any) -> str:
        return super().decode("utf-8", "surrogateescape")


class _Batch:
    """A batch of records, read by aiokafka if it can, else once more from its bytes."""

    def __init__(self, batch: Any, raw: memoryview) -> None:
        self._batch = batch
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter(list(self._batch))
        except (UnicodeDecodeError, CorruptRecordException):
            again = _DefaultRecordBatchPy(self._raw)
            again._maybe_uncompress()
            again._buffer = _Lenient(again._buffer)
            return iter(list(again))


class _Fetched:
    """What a fetch brought of one partition, batch by batch."""

    def __init__(self, raw: bytes) -> None:
        self._records = MemoryRecords(raw)
        self._raw = memoryview(raw)
        self._at = 0
        self.has_next = self._records.has_next
        self.size_in_bytes = self._records.size_in_bytes

    def next_batch(self) -> _Batch:
        begins, (_, length) = self._at, _HEAD.unpack_from(self._raw, self._at)
        self._at += _HEAD.size + length
        return _Batch(self._records.next_batch(), self._raw[begins : self._at])


vars(fetcher)["MemoryRecords"] = _Fetched


def to_record(record: ConsumerRecord[Any, Any]) -> KafkaRecord:
    """Return a record as Kafka gave it."""
    return KafkaRecord(record.topic, record.partition, record.offset, record.key, record.value, tuple(record.headers))

"""aiokafka's record parser, replaced so that it also reads records whose header names are not UTF-8.

aiokafka raises at such a record before any code of ours sees it, and would stall the partition for ever. A batch that
aiokafka cannot parse is parsed again here: bytes of a name that are no UTF-8 become lone surrogates, as in file names.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import aiokafka
from aiokafka import ConsumerRecord
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

from shared.consumer.record import KafkaRecord

SUPPORTED = "0.14."
MAX_HEADERS = 32
_HEAD = struct.Struct(">qi")


def install() -> None:
    """Replace aiokafka's record parser in this process, once. Raises RuntimeError for a version not tested with it."""
    if not aiokafka.__version__.startswith(SUPPORTED):
        raise RuntimeError(
            f"aiokafka {aiokafka.__version__}: its record parser is replaced, which was tested with {SUPPORTED}x only; "
            "run tests/faults/test_records.py with this version, then change SUPPORTED in lenient_fetcher.py"
        )
    vars(fetcher)["MemoryRecords"] = _FetchedRecords


class _LenientBytes(bytearray):
    """Bytes of which every slice decodes."""

    def __getitem__(self, at: Any) -> Any:
        item = super().__getitem__(at)
        return _LenientBytes(item) if isinstance(at, slice) else item

    def decode(self, *_: Any) -> str:
        return super().decode("utf-8", "surrogateescape")


class _Batch:
    """A record batch, parsed by aiokafka if it can, else from its raw bytes."""

    def __init__(self, batch: Any, raw: memoryview) -> None:
        self._batch = batch
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter([_bounded(record) for record in self._batch])
        except (UnicodeDecodeError, CorruptRecordException):
            reparsed = _DefaultRecordBatchPy(self._raw)
            reparsed._maybe_uncompress()
            reparsed._buffer = _LenientBytes(reparsed._buffer)
            return iter([_bounded(record) for record in reparsed])


def _bounded(record: Any) -> Any:
    """Cut off a record's headers beyond the first ones: a megabyte of empty ones takes a hundred in memory."""
    if len(record.headers) <= MAX_HEADERS:
        return record
    names = ("offset", "timestamp", "timestamp_type", "key", "value", "checksum")
    return SimpleNamespace(
        headers=list(record.headers[:MAX_HEADERS]), **{name: getattr(record, name) for name in names}
    )


class _FetchedRecords:
    """The records that one fetch returned for a partition, batch by batch."""

    def __init__(self, raw: bytes) -> None:
        self._records = MemoryRecords(raw)
        self._raw = memoryview(raw)
        self._at = 0
        self.has_next = self._records.has_next
        self.size_in_bytes = self._records.size_in_bytes

    def next_batch(self) -> _Batch:
        start, (_, length) = self._at, _HEAD.unpack_from(self._raw, self._at)
        self._at += _HEAD.size + length
        return _Batch(self._records.next_batch(), self._raw[start : self._at])


def to_record(record: ConsumerRecord[Any, Any]) -> KafkaRecord:
    """Return aiokafka's record as a KafkaRecord."""
    return KafkaRecord(record.topic, record.partition, record.offset, record.key, record.value, tuple(record.headers))

"""A file of Kafka records as the relay would publish them: key, value, ledger position and leaf hash.

The file begins with a line that names the format; then each record: service, lengths of key and value, position, leaf
hash, key, value. `read` streams it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from struct import Struct
from typing import BinaryIO, NamedTuple

from shared.events.canonical import leaf_hash
from shared.events.catalogue import SERVICES
from tools.simulate.commits import SimulatedCommit

MAGIC = b"throughline synthetic records 1\n"
_HEAD = Struct(">BHIQ32s")


class Record(NamedTuple):
    """A Kafka record before it is produced: its service, key, value and header values."""

    service: str
    key: bytes
    value: bytes
    position: int
    leaf: str

    @property
    def topic(self) -> str:
        """The record's topic."""
        return f"throughline.{self.service}"

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """The headers that a consumer checks."""
        return [("position", str(self.position).encode()), ("leaf", self.leaf.encode())]


def records_of(commits: Iterable[SimulatedCommit]) -> Iterator[Record]:
    """Yield a record per event, with its position in its service's ledger, from 0, and its leaf hash."""
    ends = dict.fromkeys(SERVICES, 0)
    for commit in commits:
        key = commit.stream.encode()
        for raw in commit.raws:
            yield Record(commit.service, key, raw, ends[commit.service], leaf_hash(raw))
            ends[commit.service] += 1


def write(file: Path, records: Iterable[Record]) -> int:
    """Write records to a file, and return their number."""
    count = 0
    with file.open("wb") as out:
        out.write(MAGIC)
        for record in records:
            leaf = bytes.fromhex(record.leaf)
            service = SERVICES.index(record.service)
            out.write(_HEAD.pack(service, len(record.key), len(record.value), record.position, leaf))
            out.write(record.key)
            out.write(record.value)
            count += 1
    return count


def read(file: Path) -> Iterator[Record]:
    """Yield the records of a file. Raises ValueError if it has another format or is truncated."""
    with file.open("rb", buffering=1024 * 1024) as source:
        if source.readline() != MAGIC:
            raise ValueError(f"{file} does not hold synthetic records")
        while head := source.read(_HEAD.size):
            if len(head) < _HEAD.size:
                raise ValueError(f"{file} breaks off")
            service, key, value, position, leaf = _HEAD.unpack(head)
            key_bytes, value_bytes = _read_exactly(source, key), _read_exactly(source, value)
            yield Record(SERVICES[service], key_bytes, value_bytes, position, leaf.hex())


def _read_exactly(source: BinaryIO, size: int) -> bytes:
    content = source.read(size)
    if len(content) < size:
        raise ValueError("the file of synthetic records breaks off")
    return content

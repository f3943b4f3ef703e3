"""A file of Kafka records as the relay would publish them: key, value, ledger position, leaf hash and proof.

The file begins with a line that names the format; then each record: service, lengths of key, value and proof, position,
leaf hash, key, value, proof. `read` streams it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from struct import Struct
from typing import BinaryIO, NamedTuple

from shared.consumer.record import KafkaRecord, headers_of, topic_of
from shared.events.canonical import leaf_hash
from shared.events.catalogue import SERVICES
from shared.tlog.batches import MAX_BATCH, prove
from tools.simulate.commits import SimulatedCommit
from tools.simulate.log_keys import KEYS

MAGIC = b"throughline synthetic records 2\n"
_HEAD = Struct(">BHIHQ32s")


class Record(NamedTuple):
    """A Kafka record before it is produced: its service, key, value and header values."""

    service: str
    key: bytes
    value: bytes
    position: int
    leaf: str
    proof: bytes = b""

    @property
    def topic(self) -> str:
        """The record's topic."""
        return topic_of(self.service)

    @property
    def headers(self) -> tuple[tuple[str, bytes], ...]:
        """The headers that a consumer checks."""
        return headers_of(self.position, self.leaf, self.proof)

    def consumed(self) -> KafkaRecord:
        """Return the record as Kafka would return it, at its position as offset."""
        return KafkaRecord(self.topic, 0, self.position, self.key, self.value, self.headers)


def records_of(commits: Iterable[SimulatedCommit]) -> Iterator[Record]:
    """Yield a record per event, with position, leaf hash and proof, in the order of its service's log from 0 on.

    The records of a service come in whole batches, as its relay signs them.
    """
    ends = dict.fromkeys(SERVICES, 0)
    waiting: dict[str, list[Record]] = {service: [] for service in SERVICES}
    for commit in commits:
        key, batch = commit.stream.encode(), waiting[commit.service]
        for raw in commit.raws:
            batch.append(Record(commit.service, key, raw, ends[commit.service], leaf_hash(raw)))
            ends[commit.service] += 1
            if len(batch) == MAX_BATCH:
                yield from signed(batch)
                batch.clear()
    for batch in waiting.values():
        yield from signed(batch)


def signed(batch: Sequence[Record]) -> Iterator[Record]:
    """Yield consecutive records of one service's log with their proofs."""
    if batch:
        leaves = [bytes.fromhex(record.leaf) for record in batch]
        for record, proof in zip(batch, prove(KEYS[batch[0].service].signer, batch[0].position, leaves), strict=True):
            yield record._replace(proof=proof)


def write(file: Path, records: Iterable[Record]) -> int:
    """Write records to a file, and return their number."""
    count = 0
    with file.open("wb") as out:
        out.write(MAGIC)
        for record in records:
            leaf = bytes.fromhex(record.leaf)
            service = SERVICES.index(record.service)
            lengths = len(record.key), len(record.value), len(record.proof)
            out.write(_HEAD.pack(service, *lengths, record.position, leaf))
            out.write(record.key + record.value + record.proof)
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
            service, *lengths, position, leaf = _HEAD.unpack(head)
            key, value, proof = (_read_exactly(source, length) for length in lengths)
            yield Record(SERVICES[service], key, value, position, leaf.hex(), proof)


def _read_exactly(source: BinaryIO, size: int) -> bytes:
    content = source.read(size)
    if len(content) < size:
        raise ValueError("the file of synthetic records breaks off")
    return content

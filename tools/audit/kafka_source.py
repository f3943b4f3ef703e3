"""Kafka as a source of exports: records carry position and leaf hash, checkpoints have their own topic."""

from __future__ import annotations

import asyncio
import tempfile
from array import array
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from typing import IO, Any, TypeVar

from aiokafka.errors import KafkaError

from shared.consumer.record import KafkaRecord
from shared.consumer.topic_reader import read_topic
from shared.ledger.checkpoint_topic import checkpoints_published
from shared.runtime.kafka_access import KafkaAccess
from shared.tlog.checkpoints import opened
from shared.tlog.merkle import TILE_WIDTH, Tree, leaf_hash
from shared.tlog.notes import Verifier
from tools.audit.entry_bundles import place
from tools.audit.log_writer import CannotExport
from tools.client.errors import Unreachable

MAX_COMBINATIONS = 64
_ABSENT = 2**64 - 1
T = TypeVar("T")


@dataclass
class _SpilledTopic:
    """A topic's records in a temporary file, indexed by position: offset, length and leaf hash."""

    limit: int
    file: IO[bytes] = field(default_factory=tempfile.TemporaryFile)
    starts: array[int] = field(default_factory=lambda: array("Q"))
    lengths: array[int] = field(default_factory=lambda: array("L"))
    leaves: bytearray = field(default_factory=bytearray)
    alternatives: dict[int, list[tuple[str, bytes]]] = field(default_factory=dict)

    def add(self, position: int, record: KafkaRecord) -> None:
        """Store a record below the limit; further bytes for a known position are stored as its alternatives."""
        if position >= self.limit:
            return
        raw = record.value or b""
        leaf = leaf_hash(raw)
        while len(self.starts) <= position:
            self.starts.append(_ABSENT)
            self.lengths.append(0)
            self.leaves += bytes(32)
        if self.starts[position] == _ABSENT:
            self._put(position, raw, leaf)
        elif self.leaf(position) != leaf and all(
            leaf_hash(alternative) != leaf for _, alternative in self.alternatives.get(position, ())
        ):
            self.alternatives.setdefault(position, []).append((record.origin, raw))

    def leaf(self, position: int) -> bytes:
        return bytes(self.leaves[position * 32 : position * 32 + 32])

    def read(self, position: int) -> bytes:
        self.file.seek(self.starts[position])
        return self.file.read(self.lengths[position])

    def choose(self, position: int, raw: bytes) -> None:
        """Replace the bytes at a position."""
        self._put(position, raw, leaf_hash(raw))

    def _put(self, position: int, raw: bytes, leaf: bytes) -> None:
        self.file.seek(0, 2)
        self.starts[position], self.lengths[position] = self.file.tell(), len(raw)
        self.leaves[position * 32 : position * 32 + 32] = leaf
        self.file.write(raw)

    def root(self, size: int, instead: Mapping[int, bytes]) -> bytes:
        """Return the Merkle root of the first `size` leaves, with the leaves of `instead` in place."""
        tree, leaves = Tree(), self.leaves
        if instead:
            leaves = bytearray(leaves)
            for position, leaf in instead.items():
                leaves[position * 32 : position * 32 + 32] = leaf
        for first in range(0, size - size % TILE_WIDTH, TILE_WIDTH):
            tree.add_tile(bytes(leaves[first * 32 : (first + TILE_WIDTH) * 32]))
        for position in range(tree.size, size):
            tree.add(bytes(leaves[position * 32 : position * 32 + 32]))
        return tree.root()


@dataclass
class KafkaSource:
    """Kafka as a source of exports. It needs pinned keys, because no topic carries keys."""

    kafka: KafkaAccess
    pinned_keys: Sequence[Verifier]
    name: str = "kafka"
    remarks: list[str] = field(default_factory=list)

    def keys(self, service: str) -> Sequence[Verifier]:
        """Return the pinned keys of a log."""
        keys = [key for key in self.pinned_keys if key.name.endswith(f"/{service}")]
        if not keys:
            raise CannotExport(f"no topic carries keys: give the key of {service} with --key")
        return keys

    def checkpoints(self, service: str) -> Mapping[int, bytes]:
        """Return every checkpoint on the topic that one of the keys signed."""
        return self._run(checkpoints_published(self.kafka, service, self.keys(service)))

    def entries(self, service: str, start: int, end: int) -> Iterable[bytes]:
        """Yield events in order; if two records claim one position, yield the one that the checkpoint covers."""
        spilled = self._run(self._spill(service, end))
        missing = next((n for n in range(end) if n >= len(spilled.starts) or spilled.starts[n] == _ABSENT), None)
        if missing is not None:
            raise CannotExport(f"throughline.{service} has no record of position {missing}, of {end} that were signed")
        if spilled.alternatives:
            self._resolve(service, spilled, end)
        for position in range(start, end):
            yield spilled.read(position)

    def _resolve(self, service: str, spilled: _SpilledTopic, end: int) -> None:
        """Choose one record for each disputed position so that the log has the signed root."""
        checkpoint, _, _ = opened(self.checkpoints(service)[end], self.keys(service))
        disputed = spilled.alternatives
        positions = sorted(disputed)
        choices = [[spilled.read(n), *(raw for _, raw in disputed[n])] for n in positions]
        for chosen in islice(product(*choices), MAX_COMBINATIONS):
            leaves = {n: leaf_hash(raw) for n, raw in zip(positions, chosen, strict=True)}
            if spilled.root(end, leaves) == checkpoint.root:
                break
        else:
            raise CannotExport(
                f"{service}, position {positions[0]}{place(choices[0][0])}: the topic holds more than one record, and "
                "none of them makes the root that was signed; export from the services"
            )
        for n, raw in zip(positions, chosen, strict=True):
            if leaf_hash(raw) != spilled.leaf(n):
                spilled.choose(n, raw)
            self.remarks.append(
                f"{service}, position {n}{place(raw)}: the topic holds other bytes too, which no checkpoint covers "
                f"(among them {disputed[n][0][0]})"
            )

    async def _spill(self, service: str, end: int) -> _SpilledTopic:
        spilled = _SpilledTopic(end)
        async for record in read_topic(self.kafka, f"throughline.{service}"):
            position = _position(record)
            if position is None:
                self.remarks.append(f"{record.origin} is not a record of the relay: its headers do not match its bytes")
            else:
                spilled.add(position, record)
        return spilled

    def _run(self, request: Coroutine[Any, Any, T]) -> T:
        try:
            return asyncio.run(request)
        except (KafkaError, OSError) as error:
            raise Unreachable(f"Kafka at {self.kafka.bootstrap} does not answer ({type(error).__name__}).") from None


def _position(record: KafkaRecord) -> int | None:
    """Return the ledger position in a record's headers; None if the headers do not match its bytes."""
    headers = dict(record.headers)
    position, leaf = headers.get("position", b""), headers.get("leaf", b"")
    if not position.isdigit() or len(position) > 15 or leaf != leaf_hash(record.value or b"").hex().encode():
        return None
    return int(position)

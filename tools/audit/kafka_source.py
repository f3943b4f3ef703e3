"""Logs read straight from Kafka: the records carry position and leaf hash, the checkpoints have their own topic."""

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
from shared.ledger.restore_check import checkpoints_published, records
from shared.tlog.checkpoints import opened
from shared.tlog.merkle import TILE_WIDTH, Tree, leaf_hash
from shared.tlog.notes import Verifier
from tools.audit.entry_bundles import place
from tools.audit.log_writer import CannotExport
from tools.client.errors import Unreachable

TRIED = 64
_ABSENT = 2**64 - 1
T = TypeVar("T")


@dataclass
class _Spilled:
    """The records of a topic on disk, by position: where each begins, how long it is, its leaf hash."""

    limit: int
    file: IO[bytes] = field(default_factory=tempfile.TemporaryFile)
    starts: array[int] = field(default_factory=lambda: array("Q"))
    lengths: array[int] = field(default_factory=lambda: array("L"))
    leaves: bytearray = field(default_factory=bytearray)
    others: dict[int, list[tuple[str, bytes]]] = field(default_factory=dict)

    def take(self, position: int, arrival: KafkaRecord) -> None:
        """Keep a record below the limit; other bytes at a known position are kept beside the first."""
        if position >= self.limit:
            return
        raw = arrival.value or b""
        leaf = leaf_hash(raw)
        while len(self.starts) <= position:
            self.starts.append(_ABSENT)
            self.lengths.append(0)
            self.leaves += bytes(32)
        if self.starts[position] == _ABSENT:
            self._put(position, raw, leaf)
        elif self.leaf(position) != leaf and all(
            leaf_hash(other) != leaf for _, other in self.others.get(position, ())
        ):
            self.others.setdefault(position, []).append((arrival.origin, raw))

    def leaf(self, position: int) -> bytes:
        return bytes(self.leaves[position * 32 : position * 32 + 32])

    def read(self, position: int) -> bytes:
        self.file.seek(self.starts[position])
        return self.file.read(self.lengths[position])

    def choose(self, position: int, raw: bytes) -> None:
        """Put other bytes at a position."""
        self._put(position, raw, leaf_hash(raw))

    def _put(self, position: int, raw: bytes, leaf: bytes) -> None:
        self.file.seek(0, 2)
        self.starts[position], self.lengths[position] = self.file.tell(), len(raw)
        self.leaves[position * 32 : position * 32 + 32] = leaf
        self.file.write(raw)

    def root(self, size: int, instead: Mapping[int, bytes]) -> bytes:
        """Return the root over the first leaves, some of them replaced."""
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
class FromKafka:
    """Kafka as a source of exports. The keys must be given, for no topic carries them."""

    kafka: str
    given: Sequence[Verifier]
    name: str = "kafka"
    remarks: list[str] = field(default_factory=list)

    def keys(self, service: str) -> Sequence[Verifier]:
        """Return the keys that were given for a log."""
        keys = [key for key in self.given if key.name.endswith(f"/{service}")]
        if not keys:
            raise CannotExport(f"no topic carries keys: give the key of {service} with --key")
        return keys

    def checkpoints(self, service: str) -> Mapping[int, bytes]:
        """Return every checkpoint on the topic that one of the keys signs."""
        return self._asked(checkpoints_published(self.kafka, service, self.keys(service)))

    def entries(self, service: str, start: int, end: int) -> Iterable[bytes]:
        """Yield events in order; of two records for one position the one that the checkpoint covers."""
        spilled = self._asked(self._spilled(service, end))
        missing = next((n for n in range(end) if n >= len(spilled.starts) or spilled.starts[n] == _ABSENT), None)
        if missing is not None:
            raise CannotExport(f"throughline.{service} has no record of position {missing}, of {end} that were signed")
        if spilled.others:
            self._settle(service, spilled, end)
        for position in range(start, end):
            yield spilled.read(position)

    def _settle(self, service: str, spilled: _Spilled, end: int) -> None:
        """Choose, for each position with more than one record, the one by which the signed root comes out."""
        checkpoint, _, _ = opened(self.checkpoints(service)[end], self.keys(service))
        disputed = spilled.others
        positions = sorted(disputed)
        choices = [[spilled.read(n), *(raw for _, raw in disputed[n])] for n in positions]
        for chosen in islice(product(*choices), TRIED):
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

    async def _spilled(self, service: str, end: int) -> _Spilled:
        spilled = _Spilled(end)
        async for arrival in records(self.kafka, f"throughline.{service}"):
            position = _position(arrival)
            if position is None:
                self.remarks.append(
                    f"{arrival.origin} is no record of the relay: its headers are not those of its bytes"
                )
            else:
                spilled.take(position, arrival)
        return spilled

    def _asked(self, asking: Coroutine[Any, Any, T]) -> T:
        try:
            return asyncio.run(asking)
        except (KafkaError, OSError) as error:
            raise Unreachable(f"Kafka at {self.kafka} does not answer ({type(error).__name__}).") from None


def _position(arrival: KafkaRecord) -> int | None:
    """Return the position that a record claims; None where its headers are not those that go with its bytes."""
    headers = dict(arrival.headers)
    written, leaf = headers.get("position", b""), headers.get("leaf", b"")
    if not written.isdigit() or len(written) > 15 or leaf != leaf_hash(arrival.value or b"").hex().encode():
        return None
    return int(written)

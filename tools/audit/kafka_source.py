"""Kafka as a source of exports: records carry position and leaf hash, checkpoints have their own topic."""

from __future__ import annotations

import asyncio
import tempfile
from array import array
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from typing import IO, Any, NamedTuple, TypeVar

from aiokafka.errors import KafkaError

from shared.consumer.decoder import Rotations
from shared.consumer.decoding import claimed_position, proven_position
from shared.consumer.record import LEAF, PROOF, KafkaRecord, topic_of
from shared.consumer.topic_reader import read_topic
from shared.ledger.checkpoint_topic import breaks_leading_to, breaks_published, checkpoints_published
from shared.runtime.kafka_access import KafkaAccess
from shared.tlog.batches import NotAProof
from shared.tlog.checkpoints import opened
from shared.tlog.merkle import TILE_WIDTH, Tree, leaf_hash
from shared.tlog.notes import Verifier
from shared.tlog.trust import LogTrust
from tools.audit.entry_bundles import place
from tools.audit.log_writer import CannotExport
from tools.client.errors import Unreachable

MAX_COMBINATIONS = 64
_ABSENT = 2**64 - 1
T = TypeVar("T")


class _Alternative(NamedTuple):
    """Other bytes for a position, spilled too, and the place of a record that holds them."""

    origin: str
    start: int
    length: int
    leaf: bytes
    proven: bool


@dataclass
class _SpilledTopic:
    """A topic's records in a temporary file, indexed by position: offset, length and leaf hash."""

    limit: int
    file: IO[bytes] = field(default_factory=tempfile.TemporaryFile)
    starts: array[int] = field(default_factory=lambda: array("Q"))
    lengths: array[int] = field(default_factory=lambda: array("L"))
    leaves: bytearray = field(default_factory=bytearray)
    alternatives: dict[int, list[_Alternative]] = field(default_factory=dict)
    proven: set[int] = field(default_factory=set)

    def add(self, position: int, record: KafkaRecord, *, proven: bool) -> None:
        """Store a record below the limit, and other bytes for a position as alternatives to the first proven ones."""
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
        elif self.leaf(position) == leaf:
            pass
        elif proven and position not in self.proven:
            start, length = self.starts[position], self.lengths[position]
            self._keep(position, _Alternative("an earlier record", start, length, self.leaf(position), proven=False))
            self._put(position, raw, leaf)
        elif self._is_new(position, leaf, proven):
            self._keep(position, _Alternative(record.origin, self._spill(raw), len(raw), leaf, proven))
        if proven:
            self.proven.add(position)

    def _is_new(self, position: int, leaf: bytes, proven: bool) -> bool:
        """Tell whether other bytes for a position are to be kept: of those without a proof some are enough."""
        others = self.alternatives.get(position, [])
        enough = 1 if position in self.proven else MAX_COMBINATIONS
        return (proven or len(others) < enough) and all(other.leaf != leaf for other in others)

    def _keep(self, position: int, alternative: _Alternative) -> None:
        self.alternatives.setdefault(position, []).append(alternative)

    def choices(self, position: int) -> list[bytes]:
        """Return the bytes that may be those of a position: the proven ones, or all where none is."""
        others = [each for each in self.alternatives[position] if each.proven or position not in self.proven]
        return [self.read(position), *(self._read(each.start, each.length) for each in others)]

    def leaf(self, position: int) -> bytes:
        return bytes(self.leaves[position * 32 : position * 32 + 32])

    def read(self, position: int) -> bytes:
        return self._read(self.starts[position], self.lengths[position])

    def _read(self, start: int, length: int) -> bytes:
        self.file.seek(start)
        return self.file.read(length)

    def _spill(self, raw: bytes) -> int:
        """Append bytes to the file; return their place."""
        start = self.file.seek(0, 2)
        self.file.write(raw)
        return start

    def choose(self, position: int, raw: bytes) -> None:
        """Replace the bytes at a position."""
        self._put(position, raw, leaf_hash(raw))

    def _put(self, position: int, raw: bytes, leaf: bytes) -> None:
        self.starts[position], self.lengths[position] = self._spill(raw), len(raw)
        self.leaves[position * 32 : position * 32 + 32] = leaf

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
        """Return the pinned keys of a log, and those that rotations lead to."""
        return self._run(self._trust(service)).verifiers(service)

    def checkpoints(self, service: str) -> Mapping[int, bytes]:
        """Return every checkpoint on the topic that one of the keys signed."""
        return self._run(self._checkpoints(service))

    def breaks(self, service: str) -> Sequence[bytes]:
        """Return every declared break on the topic that leads to one of the keys."""
        return self._run(self._breaks(service))

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
        choices = [spilled.choices(n) for n in positions]
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
                f"(among them {disputed[n][0].origin})"
            )

    async def _spill(self, service: str, end: int) -> _SpilledTopic:
        """Read a topic; a record without a valid proof counts only where no proven one has its position."""
        spilled, trust = _SpilledTopic(end), await self._trust(service)
        async for record in read_topic(self.kafka, topic_of(service)):
            leaf = leaf_hash(record.value or b"")
            try:
                spilled.add(proven_position(record, leaf, trust), record, proven=True)
            except NotAProof as fault:
                if (position := _position_from_before(record, leaf)) is not None:
                    spilled.add(position, record, proven=False)
                else:
                    self.remarks.append(f"{record.origin} is not a record of the relay: {fault}")
        return spilled

    async def _trust(self, service: str) -> LogTrust:
        pinned = [key for key in self.pinned_keys if key.name.endswith(f"/{service}")]
        if not pinned:
            raise CannotExport(f"no topic carries keys: give the key of {service} with --key")
        trust = LogTrust(pinned)
        await Rotations(self.kafka, [service], trust).follow()
        return trust

    async def _checkpoints(self, service: str) -> Mapping[int, bytes]:
        return await checkpoints_published(self.kafka, service, await self._trust(service))

    async def _breaks(self, service: str) -> Sequence[bytes]:
        return breaks_leading_to(await self._trust(service), await breaks_published(self.kafka, service))

    def _run(self, request: Coroutine[Any, Any, T]) -> T:
        try:
            return asyncio.run(request)
        except (KafkaError, OSError) as error:
            raise Unreachable(f"Kafka at {self.kafka.bootstrap} does not answer ({type(error).__name__}).") from None


def _position_from_before(record: KafkaRecord, leaf: bytes) -> int | None:
    """Return the position of a record from before records were signed; None for any other without a valid proof."""
    headers = dict(record.headers)
    if PROOF in headers or headers.get(LEAF) != leaf.hex().encode():
        return None
    try:
        return claimed_position(record)
    except NotAProof:
        return None

"""From records to traces: whatever a trace is composed of is folded first, then each recommendation by itself."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from operator import attrgetter
from types import TracebackType
from typing import Any, Self

from services.nominations.domain.membership import MEMBERSHIP
from services.recommendations.projection import AGGREGATES, subset
from services.recommendations.trace import compose
from shared.consumer.record import ConsumedEvent, KafkaRecord, Poison, decode_record
from shared.domain.aggregate import Aggregate
from shared.events.catalogue import Undecodable, decode
from shared.projection.fold import UNFOLDED, FoldedState, fold_on
from tools.replay.history import History, streams_of
from tools.replay.kept import Kept, Streams, keep
from tools.replay.roster import Row, row_of
from tools.replay.spool import Parts, Spool

Trace = dict[str, Any]
Made = Callable[[str, Trace], Any]
_ROOT = b"recommendation/"
_BUCKETS_AT_ONCE = 4
_PARTS = attrgetter("topic", "partition", "offset", "key", "value", "headers")
_PARTS_OF_LOG = 3
_ALWAYS = "9999"


@dataclass
class Told:
    """What was met on the way."""

    records: int = 0
    events: int = 0
    repeats: int = 0
    poison: list[tuple[str, str]] = field(default_factory=list)
    disputed: list[str] = field(default_factory=list)
    stalled: list[str] = field(default_factory=list)
    heads: dict[str, int] = field(default_factory=dict)
    roster: list[Row] = field(default_factory=list)

    def add(self, other: Told) -> None:
        """Take in what another part met."""
        for name, value in vars(other).items():
            mine = getattr(self, name)
            if isinstance(mine, dict):
                mine.update(value)
            else:
                setattr(self, name, mine + value)


@dataclass
class Replaying:
    """A replay: `take` every record, then `run`. `known_at` takes only what was recorded by then."""

    as_of: date | None = None
    known_at: str | None = None
    told: Told = field(default_factory=Told)
    _others: Spool = field(default_factory=lambda: Spool(streams_each=500))
    _roots: Spool = field(default_factory=lambda: Spool(streams_each=50))
    _streams: Streams = field(default_factory=lambda: Streams({}))
    _made: Made = field(default=lambda _reference, trace: trace)

    def take(self, arrival: KafkaRecord) -> None:
        """Take a record of Kafka's, which may be anything, to be looked at later."""
        self._put(arrival.key or b"", len(arrival.value or b""), _PARTS(arrival))

    def take_event(self, topic: str, position: int, stream: bytes, raw: bytes) -> None:
        """Take the next event of a log, to be looked at later."""
        self._put(stream, len(raw), (topic, position, raw))

    def _put(self, stream: bytes, size: int, parts: Parts) -> None:
        self.told.records += 1
        (self._roots if stream.startswith(_ROOT) else self._others).put(stream, size, parts)

    def run(self, made: Made, processes: int = 1) -> Iterator[tuple[str, Any]]:
        """Yield, for each trace, its reference and what was `made` of it; no order is promised.

        With several processes `made` runs in them, and what it returns must be small. It may be run again.
        """
        self._made, self.told = made, Told(records=self.told.records)
        with _without_collecting():
            yield from self._run(processes)

    def _run(self, processes: int) -> Iterator[tuple[str, Any]]:
        kept: dict[str, Kept] = {}
        for told, some in _spread(self, Replaying._folded, len(self._others), processes):
            self.told.add(told)
            kept |= some
        self._streams = Streams(kept)
        for told, traces in _spread(self, Replaying._composed, len(self._roots), processes):
            self.told.add(told)
            yield from traces

    def _folded(self, bucket: int) -> tuple[Told, dict[str, Kept]]:
        told, kept = Told(), {}
        for folded in self._fold(self._others.bucket(bucket), told):
            kind = folded.stream.partition("/")[0]
            if kind in AGGREGATES:
                kept[folded.stream] = keep(folded)
            elif kind == MEMBERSHIP.kind and (row := row_of(folded.state, self.as_of)) is not None:
                told.roster.append(row)
        return told, kept

    def _composed(self, bucket: int) -> tuple[Told, list[tuple[str, Any]]]:
        told, traces = Told(), []
        for folded in self._fold(self._roots.bucket(bucket), told):
            reference = folded.stream.partition("/")[2]
            states = subset(reference, _With(folded, self._streams))
            if (trace := compose(reference, states, self.as_of)) is not None:
                traces.append((reference, self._made(reference, trace)))
        return told, traces

    def _fold(self, bucket: Iterator[Parts], told: Told) -> Iterator[FoldedState]:
        for stream, events in self._lines(bucket, told):
            aggregate = _aggregate(stream)
            outcome = fold_on(aggregate, FoldedState(stream, aggregate.initial), events)
            assert outcome is not None, "a fold from version 1 takes corrections"
            told.events += len(events)
            told.heads[stream] = outcome.folded.version
            if outcome.folded.blocked:
                told.stalled.append(f"{stream} stops at version {outcome.folded.version}")
            yield outcome.folded

    def _lines(self, bucket: Iterator[Parts], told: Told) -> Iterator[tuple[str, list[ConsumedEvent]]]:
        """Yield each stream of a bucket with its events: those of a log as they are, those of Kafka sorted out."""
        history, lines = History(), dict[str, list[ConsumedEvent]]()
        known_at = self.known_at or _ALWAYS
        for parts in bucket:
            of_log = len(parts) == _PARTS_OF_LOG
            event = heard_in_log(*parts) if of_log else decode_record(KafkaRecord(*parts))
            if isinstance(event, Poison):
                told.poison.append((event.record.origin, event.reason))
            elif event.recorded.time > known_at:
                continue
            elif of_log:
                lines.setdefault(event.recorded.subject, []).append(event)
            else:
                history.add(event)
        told.repeats += history.repeats
        told.disputed += [f"{stream} version {version}" for stream, version in history.disputed]
        yield from lines.items()
        yield from streams_of(history)

    def close(self) -> None:
        """Forget what was put aside."""
        self._others.close()
        self._roots.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class _With(dict[str, FoldedState]):
    """One recommendation beside the streams that all share; a trace reads no other recommendation."""

    def __init__(self, own: FoldedState, shared: Streams) -> None:
        super().__init__({own.stream: own})
        self._shared = shared

    def __missing__(self, stream: str) -> FoldedState:
        assert not stream.startswith("recommendation/"), stream
        return self._shared[stream]


def heard_in_log(topic: str, position: int, raw: bytes) -> ConsumedEvent | Poison:
    """Take an event of a log: its position is where it lies, and the tree vouches for its bytes."""
    try:
        recorded = decode(raw)
    except Undecodable as error:
        return Poison(KafkaRecord(topic, 0, position, None, raw, ()), error.reason, error.detail)
    return ConsumedEvent(recorded, raw, sha256(raw).hexdigest(), sha256(b"\x00" + raw).hexdigest(), position, topic)


def _aggregate(stream: str) -> Aggregate[Any]:
    kind = stream.partition("/")[0]
    return MEMBERSHIP if kind == MEMBERSHIP.kind else AGGREGATES.get(kind, UNFOLDED)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Leave the garbage alone: folding makes very many objects and no cycles."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


_forked: Replaying | None = None


def _part(asked: tuple[Callable[[Replaying, int], Any], int]) -> Any:
    assert _forked is not None
    work, bucket = asked
    return work(_forked, bucket)


def _spread(replaying: Replaying, work: Callable[[Replaying, int], Any], buckets: int, processes: int) -> Iterator[Any]:
    """Yield what comes of each bucket, in several processes that begin with all that this one holds."""
    global _forked
    if processes < 2:
        yield from (work(replaying, bucket) for bucket in range(buckets))
        return
    _forked = replaying
    asked: Sequence[tuple[Any, int]] = [(work, bucket) for bucket in range(buckets)]
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("fork")) as pool:
        yield from pool.map(_part, asked, chunksize=_BUCKETS_AT_ONCE)
    _forked = None

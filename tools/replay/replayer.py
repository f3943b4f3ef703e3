"""Replay of records into traces: fold the streams that traces share, then each recommendation by itself."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter
from types import TracebackType
from typing import Any, Self

from services.recommendations.composing import trace_or_fault
from services.recommendations.projection import AGGREGATES
from services.recommendations.trace import SHAPE
from services.recommendations.trace.initiatives import ByProvision, by_provision
from shared.consumer.decoding import decode_record, decode_unsigned
from shared.consumer.record import PROOF, ConsumedEvent, KafkaRecord, Poison
from shared.domain.aggregate import Aggregate
from shared.projection.fold import UNFOLDED, FoldedState
from shared.projection.partial_fold import fold_whole
from shared.tlog.trust import LogTrust
from tools.replay.completeness import Positions
from tools.replay.history import Fault, History, decode_entry, streams_of
from tools.replay.packed_states import PackedState, PackedStates, pack
from tools.replay.roster import FOLDED_FOR, Row, part_of, rows_of
from tools.replay.spool import Parts, Spool

Trace = dict[str, Any]
Convert = Callable[[str, Trace], Any]
_ROOT = b"recommendation/"
_INITIATIVE = "initiative/"
_BUCKETS_PER_CHUNK = 4
_parts_of = attrgetter("topic", "partition", "offset", "key", "value", "headers")
_LOG_PARTS = 3
_NEVER = "9999"


@dataclass
class Report:
    """Counts and faults of a replay, the version of each stream, and the roster, from the parts of the `group`.

    `positions` are those of Kafka's records.
    `faults` are the traces that cannot be composed or stored, by reference, with the reason in words.
    """

    records: int = 0
    events: int = 0
    repeats: int = 0
    unsigned: int = 0
    poison: list[tuple[str, str]] = field(default_factory=list)
    disputed: list[str] = field(default_factory=list)
    stalled: list[str] = field(default_factory=list)
    heads: dict[str, int] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    group: dict[str, Any] = field(default_factory=dict)
    roster: list[Row] = field(default_factory=list)
    positions: Positions = field(default_factory=Positions)

    def add(self, other: Report) -> None:
        """Add the report of another part."""
        for name, value in vars(other).items():
            total = getattr(self, name)
            if isinstance(total, dict):
                total.update(value)
            else:
                total += value
                setattr(self, name, total)


@dataclass
class Replayer:
    """A replay: add every record, then `run`. `known_at` leaves out what was recorded later.

    Records are believed by `trust`. One without a proof counts only with `takes_unsigned`, for a journal from before
    records were signed.
    """

    trust: LogTrust = field(default_factory=lambda: LogTrust(()))
    as_of: date | None = None
    known_at: str | None = None
    takes_unsigned: bool = False
    report: Report = field(default_factory=Report)
    _others: Spool = field(default_factory=lambda: Spool(streams_each=500))
    _roots: Spool = field(default_factory=lambda: Spool(streams_each=50))
    _streams: PackedStates = field(default_factory=lambda: PackedStates({}))
    _initiatives: ByProvision = field(default_factory=dict)
    _convert: Convert = field(default=lambda _reference, trace: trace)

    def add_record(self, record: KafkaRecord) -> None:
        """Spool a Kafka record, which may hold anything; `run` decodes it."""
        self._put(record.key or b"", len(record.value or b""), _parts_of(record))

    def add_event(self, topic: str, position: int, stream: bytes, raw: bytes) -> None:
        """Spool the next event of a log; `run` decodes it."""
        self._put(stream, len(raw), (topic, position, raw))

    def _put(self, stream: bytes, size: int, parts: Parts) -> None:
        self.report.records += 1
        (self._roots if stream.startswith(_ROOT) else self._others).put(stream, size, parts)

    def run(self, convert: Convert, processes: int = 1) -> Iterator[tuple[str, Any]]:
        """Yield each trace's reference and what `convert` returns for it, in no particular order.

        With several processes `convert` runs in them, and its results must be small. It may be run again.
        """
        self._convert, self.report = convert, Report(records=self.report.records)
        with _gc_disabled():
            yield from self._run(processes)

    def _run(self, processes: int) -> Iterator[tuple[str, Any]]:
        packed: dict[str, PackedState] = {}
        for report, states in _map_buckets(self, Replayer._fold_others, len(self._others), processes):
            self.report.add(report)
            packed |= states
        self.report.roster = rows_of(self.report.group, self.as_of)
        self._streams = PackedStates(packed)
        self._initiatives = by_provision(self._streams[stream] for stream in packed if stream.startswith(_INITIATIVE))
        for report, traces in _map_buckets(self, Replayer._compose_roots, len(self._roots), processes):
            self.report.add(report)
            yield from traces

    def _fold_others(self, bucket: int) -> tuple[Report, dict[str, PackedState]]:
        report, packed = Report(), {}
        for folded in self._fold(self._others.bucket(bucket), report):
            kind = folded.stream.partition("/")[0]
            if kind in AGGREGATES:
                packed[folded.stream] = pack(folded)
            elif kind in FOLDED_FOR:
                report.group[folded.stream] = part_of(kind, folded.state)
        return report, packed

    def _compose_roots(self, bucket: int) -> tuple[Report, list[tuple[str, Any]]]:
        report, traces = Report(), []
        for folded in self._fold(self._roots.bucket(bucket), report):
            reference = folded.stream.partition("/")[2]
            states = _WithShared(folded, self._streams)
            trace = trace_or_fault(reference, states, self._initiatives, self.as_of)
            if trace is not None and "fault" in trace:
                report.faults[reference] = trace["fault"]
            elif trace is not None:
                traces.append((reference, self._convert(reference, trace)))
        return report, traces

    def _fold(self, bucket: Iterator[Parts], report: Report) -> Iterator[FoldedState]:
        for stream, events in self._decode(bucket, report):
            aggregate = _aggregate(stream)
            folded = fold_whole(aggregate, FoldedState(stream, aggregate.initial), events, SHAPE).folded
            report.events += len(events)
            report.heads[stream] = folded.version
            if folded.blocked:
                report.stalled.append(stops(folded))
            yield folded

    def _decode(self, bucket: Iterator[Parts], report: Report) -> Iterator[tuple[str, list[ConsumedEvent]]]:
        """Yield each stream of a bucket with its events: those of a log as they lie, those of Kafka in order, once."""
        history, streams, faults = History(), dict[str, list[ConsumedEvent]](), list[Fault]()
        known_at = self.known_at or _NEVER
        for parts in bucket:
            is_of_log = len(parts) == _LOG_PARTS
            event = decode_entry(*parts) if is_of_log else self._decode_record(KafkaRecord(*parts))
            if not is_of_log:
                report.positions.add_of(event)
            if isinstance(event, Poison):
                faults.append(Fault.of(event))
            elif event.recorded.time > known_at:
                continue
            elif is_of_log:
                streams.setdefault(event.recorded.subject, []).append(event)
            else:
                report.unsigned += not event.proof
                history.add(event)
        others = history.without_repeats(faults)
        report.poison += [(each.origin, each.reason) for each in others]
        report.repeats += history.repeats + len(faults) - len(others)
        report.disputed += [f"{stream} version {version}" for stream, version in history.disputed]
        yield from streams.items()
        yield from streams_of(history)

    def _decode_record(self, record: KafkaRecord) -> ConsumedEvent | Poison:
        unsigned = self.takes_unsigned and not dict(record.headers).get(PROOF)
        return (decode_unsigned(record) if unsigned else None) or decode_record(record, self.trust)

    def close(self) -> None:
        """Discard the spooled records."""
        self._others.close()
        self._roots.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class _WithShared(dict[str, FoldedState]):
    """One recommendation beside the streams that all share; a trace reads no other recommendation."""

    def __init__(self, own: FoldedState, shared: PackedStates) -> None:
        super().__init__({own.stream: own})
        self._shared = shared

    def __missing__(self, stream: str) -> FoldedState:
        assert not stream.startswith("recommendation/"), stream
        return self._shared[stream]


def stops(folded: FoldedState) -> str:
    """Say where a stream stops, and why, if it is not for a gap or a broken chain."""
    return f"{folded.stream} stops at version {folded.version}" + (f": {folded.fault}" if folded.fault else "")


def _aggregate(stream: str) -> Aggregate[Any]:
    kind = stream.partition("/")[0]
    return FOLDED_FOR.get(kind) or AGGREGATES.get(kind, UNFOLDED)


@contextmanager
def _gc_disabled() -> Iterator[None]:
    """Disable the garbage collector: folding makes very many objects and no cycles."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


_forked: Replayer | None = None


def _run_in_fork(task: tuple[Callable[[Replayer, int], Any], int]) -> Any:
    assert _forked is not None
    work, bucket = task
    return work(_forked, bucket)


def _map_buckets(
    replayer: Replayer, work: Callable[[Replayer, int], Any], buckets: int, processes: int
) -> Iterator[Any]:
    """Yield the result of each bucket, from several forks of this process."""
    global _forked
    if processes < 2:
        yield from (work(replayer, bucket) for bucket in range(buckets))
        return
    _forked = replayer
    tasks: Sequence[tuple[Any, int]] = [(work, bucket) for bucket in range(buckets)]
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("fork")) as pool:
        yield from pool.map(_run_in_fork, tasks, chunksize=_BUCKETS_PER_CHUNK)
    _forked = None

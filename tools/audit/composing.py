"""The traces that exactly the events of a bundle make: folded and composed in memory, from nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

from services.recommendations.projection import AGGREGATES, TOPICS, subset
from services.recommendations.trace import compose, trace_bytes
from shared.events.canonical import leaf_hash, sha256_hex
from shared.events.catalogue import Undecodable, decode
from shared.folds import PASSING, Folded, fold_on
from shared.intake import Heard
from tools.audit.bundle import Bundle, Log

Digests = dict[str, dict[str, Any]]
Advance = Callable[[int, int], None]


class _States(dict[str, Folded]):
    """Folded streams; one that is in no log is at its beginning."""

    def __missing__(self, stream: str) -> Folded:
        return Folded(stream, AGGREGATES.get(_kind(stream), PASSING).initial)


def traces(bundle: Bundle, advance: Advance = lambda done, of: None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield reference and trace, in order of references. Raises NotReadable."""
    states = _States()
    services = [topic.rpartition(".")[2] for topic in TOPICS]
    for log in (log for service, log in bundle.logs.items() if service in services):
        _fold(log, states, advance)
    for stream in sorted(states):
        kind, _, reference = stream.partition("/")
        if kind == "recommendation" and (trace := compose(reference, subset(reference, states))) is not None:
            yield reference, trace


def digests(bundle: Bundle, advance: Advance = lambda done, of: None) -> Digests:
    """Return what traces.json says of each trace: its digest, and what it is based on."""
    return {
        reference: {"digest": sha256(trace_bytes(trace)).hexdigest(), "based_on": trace["based_on"]}
        for reference, trace in traces(bundle, advance)
    }


def _fold(log: Log, states: _States, advance: Advance) -> None:
    """Fold a log event by event; streams with a correction are read again, and folded whole."""
    corrected: set[str] = set()
    size = log.checkpoint().size
    for event in _heard(log, size, advance):
        stream = event.recorded.subject
        if stream in corrected:
            continue
        if (folded := _folded(states[stream], [event])) is None:
            corrected.add(stream)
        else:
            states[stream] = folded
    lines: dict[str, list[Heard]] = {}
    for event in _heard(log, size, advance) if corrected else ():
        if event.recorded.subject in corrected:
            lines.setdefault(event.recorded.subject, []).append(event)
    for stream, line in lines.items():
        folded = _folded(Folded(stream, AGGREGATES[_kind(stream)].initial), line)
        assert folded is not None, "a fold from version 1 takes corrections"
        states[stream] = folded


def _folded(before: Folded, events: list[Heard]) -> Folded | None:
    outcome = fold_on(AGGREGATES[_kind(before.stream)], before, events)
    return outcome.folded if outcome is not None else None


def _heard(log: Log, size: int, advance: Advance) -> Iterator[Heard]:
    """Yield the events that traces are made of; one that cannot be read stops its stream, as it does live."""
    for position, raw in log.entries(0, size):
        if position % 1_000 == 0:
            advance(position, size)
        try:
            recorded = decode(raw)
        except Undecodable:
            continue
        if _kind(recorded.subject) in AGGREGATES:
            yield Heard(recorded, raw, sha256_hex(raw), leaf_hash(raw), position, f"{log.service}/{position}")


def _kind(stream: str) -> str:
    return stream.partition("/")[0]

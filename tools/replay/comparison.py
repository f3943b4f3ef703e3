"""Comparison of live and rebuilt traces, byte for byte, where both rest on the same versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.recommendations.composing import trace_or_fault
from services.recommendations.projection import AGGREGATES
from services.recommendations.trace import SHAPE, trace_bytes
from services.recommendations.trace.initiatives import by_provision
from shared.projection.fold import UNFOLDED, FoldedState
from shared.projection.natural_order import natural_order
from shared.projection.partial_fold import fold_whole
from tools.replay.history import History, streams_of
from tools.replay.replayer import stops

Trace = dict[str, Any]
_ABSENT = "nothing"


@dataclass(frozen=True)
class Difference:
    """The first difference of a live and a rebuilt trace: the reference, the path, and both values."""

    reference: str
    path: str
    live: Any
    rebuilt: Any


@dataclass
class Verdict:
    """The outcome of a comparison, by reference; `behind` are live traces older than the history.

    `beyond` are the versions that newer live traces rest on and the history lacks, by stream; `unsigned` those that no
    signature covers.
    `faults` are those that neither side can compose or store, with the reason in words.
    """

    identical: list[str] = field(default_factory=list)
    different: list[Difference] = field(default_factory=list)
    behind: list[str] = field(default_factory=list)
    newer: list[str] = field(default_factory=list)
    beyond: dict[str, int] = field(default_factory=dict)
    unsigned: list[str] = field(default_factory=list)
    other_shape: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """True if all compared traces are identical, and only newer ones were left out."""
        return not (self.different or self.behind or self.other_shape or self.unsigned)


class _States(dict[str, FoldedState]):
    """Folded streams; one that the history lacks has its initial state."""

    def __missing__(self, stream: str) -> FoldedState:
        return FoldedState(stream, AGGREGATES.get(stream.partition("/")[0], UNFOLDED).initial)


@dataclass
class Rebuilt:
    """A rebuilt history: traces or their faults by reference, each stream's version, the streams that stop short."""

    traces: dict[str, Trace] = field(default_factory=dict)
    heads: dict[str, int] = field(default_factory=dict)
    stalled: list[str] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)


def rebuilt_from(history: History) -> Rebuilt:
    """Fold and compose a history in memory."""
    states, rebuilt = _States(), Rebuilt()
    for stream, events in streams_of(history):
        aggregate = AGGREGATES.get(stream.partition("/")[0], UNFOLDED)
        states[stream] = fold_whole(aggregate, states[stream], events, SHAPE).folded
        rebuilt.heads[stream] = states[stream].version
        if states[stream].blocked:
            rebuilt.stalled.append(stops(states[stream]))
    initiatives = by_provision(states.values())
    for stream in rebuilt.heads:
        kind, _, reference = stream.partition("/")
        trace = trace_or_fault(reference, states, initiatives) if kind == "recommendation" else None
        if trace is not None and "fault" in trace:
            rebuilt.faults[reference] = trace["fault"]
        elif trace is not None:
            rebuilt.traces[reference] = trace
    return rebuilt


def compare(live: Mapping[str, Trace], rebuilt: Rebuilt, before: Mapping[str, Trace]) -> Verdict:
    """Compare live traces with rebuilt ones.

    `before` are the live traces read before the history: it must hold every version that they rest on.
    """
    verdict = Verdict()
    for reference in sorted({*live, *rebuilt.traces, *rebuilt.faults, *before}, key=natural_order):
        _judge(verdict, reference, rebuilt, live.get(reference), before.get(reference))
    for stream, version, *_ in (each for reference in verdict.newer for each in live[reference]["based_on"]):
        if version > rebuilt.heads.get(stream, 0):
            verdict.beyond[stream] = max(version, verdict.beyond.get(stream, 0))
    return verdict


def _judge(verdict: Verdict, reference: str, rebuilt: Rebuilt, live: Trace | None, before: Trace | None) -> None:
    here = rebuilt.traces.get(reference)
    if (fault := rebuilt.faults.get(reference)) is not None:
        if live is None:
            verdict.faults[reference] = fault
        else:
            verdict.different.append(Difference(reference, "", "a trace", fault))
    elif live is None or (here is None and before is not None):
        verdict.different.append(Difference(reference, "", *("a trace" if side else _ABSENT for side in (live, here))))
    elif here is None:
        verdict.newer.append(reference)
    elif live["shape"] != here["shape"]:
        verdict.other_shape[reference] = (live["shape"], here["shape"])
    elif (beyond := _beyond(before, rebuilt.heads)) is not None:
        verdict.different.append(Difference(reference, "based_on", beyond, "a history that does not hold it"))
    elif (
        same := next((each for each in (live, before) if each and each["based_on"] == here["based_on"]), None)
    ) is None:
        _place(verdict, reference, live, here, rebuilt.heads)
    elif trace_bytes(same) == trace_bytes(here):
        verdict.identical.append(reference)
    else:
        verdict.different.append(first_difference(reference, same, here) or Difference(reference, "", same, here))


def _beyond(before: Trace | None, heads: Mapping[str, int]) -> str | None:
    """Return the first version that an earlier live trace rests on and the history lacks."""
    for stream, version, *_ in before["based_on"] if before else ():
        if version > heads.get(stream, 0):
            return f"{stream} version {version}"
    return None


def _place(verdict: Verdict, reference: str, live: Trace, here: Trace, heads: Mapping[str, int]) -> None:
    """Classify a live trace that rests on other versions: behind, newer, or different.

    It may rest on further streams that nothing else names: initiatives.
    """
    versions, held = ({stream: version for stream, version, *_ in trace["based_on"]} for trace in (live, here))
    shared = versions.keys() & held.keys()
    if any(versions[stream] < held[stream] for stream in shared):
        verdict.behind.append(reference)
    elif any(versions[stream] > held.get(stream, heads.get(stream, 0)) for stream in versions):
        verdict.newer.append(reference)
    elif held.keys() > versions.keys() and all(_is_initiative(stream) for stream in held.keys() - versions.keys()):
        verdict.behind.append(reference)
    else:
        verdict.different.append(Difference(reference, "based_on", live["based_on"], here["based_on"]))


def _is_initiative(stream: str) -> bool:
    return stream.startswith("initiative/")


def first_difference(reference: str, live: Any, rebuilt: Any, path: str = "") -> Difference | None:
    """Return the first difference of two values, in the order of their canonical bytes."""
    match live, rebuilt:
        case dict(), dict():
            for name in sorted({*live, *rebuilt}):
                inner = f"{path}.{name}" if path else name
                one, other = live.get(name, _ABSENT), rebuilt.get(name, _ABSENT)
                if difference := first_difference(reference, one, other, inner):
                    return difference
        case list(), list():
            for index in range(max(len(live), len(rebuilt))):
                one, other = (side[index] if index < len(side) else _ABSENT for side in (live, rebuilt))
                if difference := first_difference(reference, one, other, f"{path}[{index}]"):
                    return difference
        case _ if live != rebuilt or type(live) is not type(rebuilt):
            return Difference(reference, path, live, rebuilt)
    return None

"""Comparison of rebuilt traces with the digests in a bundle and with the live traces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, StrictInt, StrictStr, TypeAdapter, ValidationError

from services.recommendations.trace import SHAPE, trace_bytes
from shared.events.canonical import sha256_hex
from shared.projection.natural_order import natural_order
from tools.audit.bundle import TRACES, Bundle, NotReadable

BasedOn = list[list[StrictStr | StrictInt]]
Place = Literal["newer", "older", "elsewhere"]


@dataclass(frozen=True)
class Digest:
    """A trace's digest, the stream versions it is based on, and the shape of the code that composed it."""

    digest: str
    based_on: BasedOn
    shape: int = SHAPE


@dataclass
class Comparison:
    """The result of comparing other digests with the rebuilt ones, by reference.

    `unsigned` are the stream versions that newer traces rest on and no checkpoint covers. `other_shape` is the shape
    of the code that composed the others, if it is not this code's: then nothing is compared.
    """

    identical: int = 0
    different: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    newer: list[str] = field(default_factory=list)
    older: list[str] = field(default_factory=list)
    unsigned: list[str] = field(default_factory=list)
    other_shape: int | None = None

    shape_is_a_fault: bool = False

    @property
    def holds(self) -> bool:
        """True if no trace differs, is missing or is older. A newer trace that rests on signed events is no fault."""
        faults = (*self.different, *self.missing, *self.unexpected, *self.older, *self.unsigned)
        return not faults and not self.shape_is_a_fault


class _Trace(BaseModel):
    digest: StrictStr
    based_on: BasedOn


class _Traces(BaseModel):
    shape: StrictInt = 0
    traces: dict[str, _Trace]


_TRACES = TypeAdapter(_Traces)


def exported_digests(bundle: Bundle) -> dict[str, Digest]:
    """Return the digests stored in an export. Raises NotReadable."""
    try:
        stored = _TRACES.validate_python(bundle.traces())
    except ValidationError:
        raise NotReadable(f"{bundle.folder / TRACES} is not that of an export") from None
    if (shape := bundle.manifest().get("shape")) != stored.shape:
        raise NotReadable(f"{bundle.folder}: the manifest names shape {shape}, and {TRACES} shape {stored.shape}")
    return {name: Digest(each.digest, each.based_on, stored.shape) for name, each in stored.traces.items()}


def live_digests(traces: Iterable[Mapping[str, Any]]) -> dict[str, Digest]:
    """Return the digests of traces as a service returns them."""
    return {
        trace["recommendation"]["reference"]: Digest(sha256_hex(trace_bytes(trace)), trace["based_on"], trace["shape"])
        for trace in traces
    }


def compare_with_export(rebuilt: Mapping[str, Digest], exported: Mapping[str, Digest]) -> Comparison:
    """Compare with the export's own digests, which are based on the same events.

    Digests of an earlier shape are no fault: the events make the traces, and earlier code composed them otherwise.
    """
    comparison = _compare_shapes(exported)
    comparison.shape_is_a_fault = comparison.other_shape not in {None, *range(1, SHAPE)}
    references = rebuilt.keys() | exported.keys() if comparison.other_shape is None else ()
    for reference in sorted(references, key=natural_order):
        here, there = rebuilt.get(reference), exported.get(reference)
        if there is None:
            comparison.missing.append(reference)
        elif here is None:
            comparison.unexpected.append(reference)
        elif (here.digest, here.based_on) == (there.digest, there.based_on):
            comparison.identical += 1
        else:
            comparison.different.append(reference)
    return comparison


def compare_with_live(rebuilt: Mapping[str, Digest], live: Mapping[str, Digest]) -> Comparison:
    """Compare with live traces that are based on the same versions; a live trace may be newer."""
    comparison = _compare_shapes(live)
    comparison.shape_is_a_fault = comparison.other_shape is not None
    held = _highest(each for digest in rebuilt.values() for each in digest.based_on)
    references = rebuilt.keys() | live.keys() if comparison.other_shape is None else ()
    for reference in sorted(references, key=natural_order):
        here, there = rebuilt.get(reference), live.get(reference)
        if there is None:
            comparison.missing.append(reference)
        elif here is None:
            comparison.newer.append(reference)
        elif here.based_on == there.based_on:
            if here.digest == there.digest:
                comparison.identical += 1
            else:
                comparison.different.append(reference)
        else:
            {"newer": comparison.newer, "older": comparison.older, "elsewhere": comparison.different}[
                _place(there.based_on, here.based_on, held)
            ].append(reference)
    return comparison


def versions_beyond(
    references: Iterable[str], live: Mapping[str, Digest], rebuilt: Mapping[str, Digest]
) -> dict[str, int]:
    """Return the highest version of each stream that these live traces rest on, and the rebuilt ones do not."""
    reached = _highest(each for digest in rebuilt.values() for each in digest.based_on)
    wanted = _highest(each for reference in references for each in live[reference].based_on)
    return {stream: version for stream, version in wanted.items() if version > reached.get(stream, 0)}


def _highest(heads: Iterable[list[str | int]]) -> dict[str, int]:
    highest: dict[str, int] = {}
    for stream, version, *_ in heads:
        highest[str(stream)] = max(int(version), highest.get(str(stream), 0))
    return highest


def _compare_shapes(digests: Mapping[str, Digest]) -> Comparison:
    others = {each.shape for each in digests.values()} - {SHAPE}
    return Comparison(other_shape=min(others) if others else None)


def _place(live: BasedOn, rebuilt: BasedOn, held: Mapping[str, int]) -> Place:
    """Classify a live trace by its stream versions. It may also be based on streams that it has named since.

    `held` are the versions that any rebuilt trace is based on: an initiative beyond those makes a live trace newer.
    """
    versions = {str(stream): int(version) for stream, version, *_ in rebuilt}
    further = [int(version) - versions[str(stream)] for stream, version, *_ in live if str(stream) in versions]
    if any(steps < 0 for steps in further):
        return "older"
    others = {str(stream): int(version) for stream, version, *_ in live if str(stream) not in versions}
    return "newer" if any(further) or any(others[each] > held.get(each, 0) for each in others) else "elsewhere"

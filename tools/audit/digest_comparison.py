"""The traces that a bundle makes, beside the digests in it and beside the live ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from services.recommendations.trace import SHAPE, trace_bytes
from shared.events.canonical import sha256_hex
from tools.audit.bundle import Bundle

BasedOn = list[list[str | int]]
Place = Literal["newer", "older", "elsewhere"]


@dataclass(frozen=True)
class Digest:
    """A trace's digest, what it rests on, and the shape of the code that composed it."""

    digest: str
    based_on: BasedOn
    shape: int = SHAPE


@dataclass
class Comparison:
    """What setting other digests beside the rebuilt ones came to, by reference."""

    identical: int = 0
    different: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    newer: list[str] = field(default_factory=list)
    older: list[str] = field(default_factory=list)
    other_shape: int | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing differs, lacks or lags; what is newer could not be compared, and is no fault."""
        faults = (*self.different, *self.missing, *self.unexpected, *self.older)
        return not faults and self.other_shape is None


def exported(bundle: Bundle) -> dict[str, Digest]:
    """Return the digests that the export says. Raises NotReadable."""
    found = bundle.traces()
    shape = found.get("shape", 0)
    return {name: Digest(each["digest"], each["based_on"], shape) for name, each in found["traces"].items()}


def live(traces: Iterable[Mapping[str, Any]]) -> dict[str, Digest]:
    """Return the digests of traces as a service gives them."""
    return {
        trace["recommendation"]["reference"]: Digest(sha256_hex(trace_bytes(trace)), trace["based_on"], trace["shape"])
        for trace in traces
    }


def beside_export(rebuilt: Mapping[str, Digest], said: Mapping[str, Digest]) -> Comparison:
    """Compare with the export's own digests, which rest on the very same events."""
    comparison = _shapes(said)
    for reference in sorted(rebuilt.keys() | said.keys() if comparison.other_shape is None else ()):
        here, there = rebuilt.get(reference), said.get(reference)
        if there is None:
            comparison.missing.append(reference)
        elif here is None:
            comparison.unexpected.append(reference)
        elif (here.digest, here.based_on) == (there.digest, there.based_on):
            comparison.identical += 1
        else:
            comparison.different.append(reference)
    return comparison


def beside_live(rebuilt: Mapping[str, Digest], found: Mapping[str, Digest]) -> Comparison:
    """Compare with live traces where both rest on the same versions; a live one may have gone on since."""
    comparison = _shapes(found)
    for reference in sorted(rebuilt.keys() | found.keys() if comparison.other_shape is None else ()):
        here, there = rebuilt.get(reference), found.get(reference)
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
                _place(there.based_on, here.based_on)
            ].append(reference)
    return comparison


def _shapes(digests: Mapping[str, Digest]) -> Comparison:
    others = {each.shape for each in digests.values()} - {SHAPE}
    return Comparison(other_shape=min(others) if others else None)


def _place(live: BasedOn, rebuilt: BasedOn) -> Place:
    """Say where a live trace stands: it may rest on later versions, and on streams that it has named since."""
    held = {str(stream): int(version) for stream, version in rebuilt}
    further = [int(version) - held[str(stream)] for stream, version in live if str(stream) in held]
    if any(steps < 0 for steps in further):
        return "older"
    return "newer" if any(further) else "elsewhere"

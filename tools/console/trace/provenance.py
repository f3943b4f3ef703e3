"""The events behind a trace's statements: what, when in the world, when recorded, and by whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.console.kinds import address_of


@dataclass(frozen=True)
class Behind:
    """An event behind a statement, and its place in its service's log; `who` is a name, where it is known."""

    stream: str
    version: int
    type: str = ""
    time: str | None = None
    day: str | None = None
    who: str | None = None
    role: str | None = None
    service: str = ""
    position: int | None = None
    leaf: str = ""
    about: int | None = None
    reason: str | None = None

    @property
    def anchor(self) -> str:
        """The id of the event's element on the page of the proof."""
        return f"e-{self.stream.replace('/', '-')}-{self.version}"

    @property
    def address(self) -> str | None:
        """The address of the event in the history of its record."""
        address = address_of(self.stream)
        return f"{address}#version-{self.version}" if address else None


def events_of(places: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> list[Behind]:
    """Return the events of an answer of `/provenance`, with the names of who recorded them."""
    return [
        Behind(
            each["stream"], each["version"], each["type"], each.get("time"), each.get("day"),
            names.get(each.get("actor") or ""), each.get("role"), each["service"], each["position"], each["leaf"],
            each.get("about"), each.get("reason"),
        )
        for each in places
    ]  # fmt: skip


def behind(statements: Mapping[str, Sequence[str]], events: Iterable[Behind]) -> dict[str, list[Behind]]:
    """Return the events behind each statement; one whose place is not known has its stream and version alone."""
    known = {(each.stream, each.version): each for each in events}
    return {
        key: [known.get((stream, version), Behind(stream, version)) for stream, version in _versions(entries)]
        for key, entries in statements.items()
    }


def in_time(events: Iterable[Behind]) -> list[Behind]:
    """Return events by when they were recorded, the latest first."""
    return sorted(events, key=lambda each: (each.time or "", each.stream, each.version), reverse=True)


def _versions(entries: Sequence[str]) -> list[tuple[str, int]]:
    """Return the stream and version of entries as in `meeting/m1 1-3,7`."""
    versions: list[tuple[str, int]] = []
    for entry in entries:
        stream, _, spans = entry.rpartition(" ")
        for span in spans.split(","):
            first, _, last = span.partition("-")
            versions += [(stream, version) for version in range(int(first), int(last or first) + 1)]
    return versions

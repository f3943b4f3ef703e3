"""Up to 256 events of a log taken apart: hashed, decoded, and reduced to what their chain and their links need."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson

from shared.events.catalogue import EVENTS, Recorded, Undecodable, decode
from shared.events.event import Event
from shared.tlog.merkle import TILE_WIDTH, leaf_hash, root_of
from shared.tlog.tiles import NotABundle, Tile, entries_of
from tools.audit.bundle import Log, NotReadable

_LINKS = {event: name for event in EVENTS.values() for name in ("seen", "stream_version") if name in event.model_fields}
Link = tuple[str, int]
Fact = tuple[str, int, bytes, str, str, int, int, Link | None]
"""Stream, version, hash, previous hash, time, id and cause (64 bits of a hash each, 0 for none), what it rests on."""


@dataclass
class Slice:
    """What one file of entries holds. A fact is None where the bytes say too little to have a place in a stream."""

    tile: Tile
    leaves: list[bytes] = field(default_factory=list)
    facts: list[Fact | None] = field(default_factory=list)
    faults: list[tuple[int, str, str]] = field(default_factory=list)
    root: bytes | None = None
    unreadable: str = ""

    @property
    def first(self) -> int:
        """The position of its first event."""
        return self.tile.index * TILE_WIDTH


def slice_of(log: Log, tile: Tile) -> Slice:
    """Read and take a file of entries apart. Never raises for what the file holds."""
    found = Slice(tile)
    try:
        entries = entries_of(log.tile(tile))
    except (NotReadable, NotABundle) as fault:
        found.unreadable = str(fault)
        return found
    for position, raw in enumerate(entries, start=found.first):
        found.leaves.append(leaf_hash(raw))
        try:
            recorded = decode(raw)
        except Undecodable as fault:
            found.faults.append((position, fault.reason, fault.detail))
            found.facts.append(_fact_of_json(raw))
            continue
        if recorded.source != f"/services/{log.service}":
            found.faults.append((position, "wrong_log", f"it is an event of {recorded.source}"))
        found.facts.append(_fact(recorded, raw))
    if len(found.leaves) == TILE_WIDTH:
        found.root = root_of(found.leaves)
    return found


def slices_of(work: tuple[Log, Sequence[Tile]]) -> list[Slice]:
    """Take several files apart, as a process of its own does at once."""
    log, tiles = work
    return [slice_of(log, tile) for tile in tiles]


def begin() -> None:
    """Prepare a process for many events: they make no cycles, so nothing need be looked for."""
    gc.freeze()
    gc.disable()


def short(text: str) -> int:
    """Return 64 bits of an id's hash, never 0."""
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") | 1


def _fact(recorded: Recorded, raw: bytes) -> Fact:
    cause = recorded.causationid
    return (
        recorded.subject,
        recorded.streamversion,
        sha256(raw).digest(),
        recorded.previoushash,
        recorded.time,
        short(recorded.id),
        short(cause) if cause is not None else 0,
        _rests_on(recorded.data),
    )


def _rests_on(data: Event) -> Link | None:
    """Return the stream and version, of another service, that an event says it was decided on or is about."""
    match _LINKS.get(type(data)):
        case "seen":
            seen: Any = data.seen  # type: ignore[attr-defined]
            return (seen.stream, seen.version) if seen is not None else None
        case "stream_version":
            return data.stream, data.stream_version  # type: ignore[attr-defined]
        case _:
            return None


def _fact_of_json(raw: bytes) -> Fact | None:
    """Return what bytes that are no event of this catalogue still say about their place."""
    try:
        found = orjson.loads(raw)
        stream, version, previous = found["subject"], found["streamversion"], found["previoushash"]
        time, event_id, cause = found["time"], found["id"], found.get("causationid")
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None
    texts = (stream, previous, time, event_id, cause or "")
    if type(version) is not int or not all(isinstance(text, str) for text in texts):
        return None
    return stream, version, sha256(raw).digest(), previous, time, short(event_id), short(cause) if cause else 0, None


def place(raw: bytes) -> str:
    """Return which stream and version bytes claim to be, after a comma, where they say so at all."""
    fact = _fact_of_json(raw)
    return f", {fact[0]} version {fact[1]}" if fact is not None else ""

"""Entry bundles: up to 256 events of a log, hashed, decoded and reduced to the fields of their chain and links."""

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
"""Stream, version, hash, previous hash, time, id and cause (64-bit hashes, 0 for none), and its link."""


@dataclass
class EntryBundle:
    """The events of one entry bundle. A fact is None if the bytes name no stream and version."""

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


def read_entry_bundle(log: Log, tile: Tile) -> EntryBundle:
    """Read and decode an entry bundle. Never raises for its content."""
    bundle = EntryBundle(tile)
    try:
        entries = entries_of(log.tile(tile))
    except (NotReadable, NotABundle) as fault:
        bundle.unreadable = f"{log.service}/{tile.path}: {fault}" if isinstance(fault, NotABundle) else str(fault)
        return bundle
    for position, raw in enumerate(entries, start=bundle.first):
        bundle.leaves.append(leaf_hash(raw))
        try:
            recorded = decode(raw)
        except Undecodable as fault:
            bundle.faults.append((position, fault.reason, fault.detail))
            bundle.facts.append(_fact_of_json(raw))
            continue
        if recorded.source != f"/services/{log.service}":
            bundle.faults.append((position, "wrong_log", f"it is an event of {recorded.source}"))
        bundle.facts.append(_fact(recorded, raw))
    if len(bundle.leaves) == TILE_WIDTH:
        bundle.root = root_of(bundle.leaves)
    return bundle


def read_entry_bundles(work: tuple[Log, Sequence[Tile]]) -> list[EntryBundle]:
    """Read and decode several entry bundles, in a worker process."""
    log, tiles = work
    return [read_entry_bundle(log, tile) for tile in tiles]


def disable_gc() -> None:
    """Switch cyclic garbage collection off in a worker process: decoded events make no cycles."""
    gc.freeze()
    gc.disable()


def short_hash(text: str) -> int:
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
        short_hash(recorded.id),
        short_hash(cause) if cause is not None else 0,
        _rests_on(recorded.data),
    )


def _rests_on(data: Event) -> Link | None:
    """Return the foreign stream and version that an event was decided on or is about."""
    match _LINKS.get(type(data)):
        case "seen":
            seen: Any = data.seen  # type: ignore[attr-defined]
            return (seen.stream, seen.version) if seen is not None else None
        case "stream_version":
            return data.stream, data.stream_version  # type: ignore[attr-defined]
        case _:
            return None


def _fact_of_json(raw: bytes) -> Fact | None:
    """Return the fact of bytes that are no event of this catalogue; None if they name no stream and version."""
    try:
        event = orjson.loads(raw)
        stream, version, previous = event["subject"], event["streamversion"], event["previoushash"]
        time, event_id, cause = event["time"], event["id"], event.get("causationid")
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None
    texts = (stream, previous, time, event_id, cause or "")
    if type(version) is not int or not all(isinstance(text, str) for text in texts):
        return None
    cause_hash = short_hash(cause) if cause else 0
    return stream, version, sha256(raw).digest(), previous, time, short_hash(event_id), cause_hash, None


def place(raw: bytes) -> str:
    """Return the stream and version that bytes claim, after a comma; empty if they claim none."""
    fact = _fact_of_json(raw)
    return f", {fact[0]} version {fact[1]}" if fact is not None else ""

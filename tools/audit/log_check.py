"""The check of one log from its first event to its last: tree, tiles, checkpoints, and the chain of every stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from shared.events.canonical import ZERO_HASH
from shared.tlog.merkle import TILE_WIDTH, Tree
from shared.tlog.tiles import Tile
from tools.audit.bundle import Log, NotReadable
from tools.audit.entry_bundles import EntryBundle, Fact
from tools.audit.findings import Finding, Findings
from tools.audit.links import Links
from tools.audit.signatures import SignedRoots, TimeBound
from tools.client.printable import quoted

Head = tuple[int, str, str]
"""Version, hash in hex and time of a stream's last event."""


@dataclass
class Ahead:
    """Events recorded after the export was made, by its manifest, which nobody signed: their number, and the first."""

    count: int = 0
    first: str = ""


@dataclass
class LogCheck:
    """The check of one log. `signed.roots` are the roots that it must have at the sizes of its checkpoints."""

    log: Log
    signed: SignedRoots
    findings: Findings
    links: Links
    exported_at: str = ""
    ahead: Ahead = field(default_factory=Ahead)
    heads: dict[str, Head] = field(default_factory=dict)
    latest: str = ""
    events: int = 0
    verified_size: int = 0
    _tree: Tree = field(default_factory=Tree)
    _broken: bool = False
    _bounds: list[TimeBound] = field(default_factory=list)

    def run(self, bundles: Iterable[EntryBundle]) -> Iterator[int]:
        """Check the log's entry bundles in order; yield the number of events checked so far after bundle."""
        self.links.log(self.log.service)
        self._bounds = sorted(self.signed.bounds, reverse=True)
        self._checkpoints()
        for bundle in bundles:
            self._check(bundle)
            yield self.events
            if self._broken:
                return
        self._tiles(self._tree.partial())

    def _check(self, bundle: EntryBundle) -> None:
        if bundle.unreadable:
            self._add(bundle.first, "entries", f"{bundle.unreadable}: the rest of this log was not checked")
            self._broken = True
            return
        compared = self._compare_leaves(bundle)
        for number, fact in enumerate(bundle.facts):
            if fact is not None:
                self._chain(bundle.first + number, fact)
        for position, reason, detail in bundle.faults:
            fact = bundle.facts[position - bundle.first]
            self._add(position, reason, f"{reason}: {detail}", fact)
        self.events += len(bundle.leaves)
        if len(bundle.leaves) != bundle.tile.width:
            message = f"{bundle.tile.path} holds {len(bundle.leaves)} events, not {bundle.tile.width}"
            self._add(compared, "entries", f"{message}: the rest of this log was not checked")
            self._broken = True
            return
        self._grow(bundle)

    def _compare_leaves(self, bundle: EntryBundle) -> int:
        """Compare the events with the lowest tile; return the first position that differs, or the one after the last.

        A tile holds the exporting log's own hash of each event, so it shows which event was changed.
        """
        tile = Tile(0, bundle.tile.index, bundle.tile.width)
        end = bundle.first + len(bundle.leaves)
        try:
            stored = self.log.tile(tile)
        except NotReadable as fault:
            self._add(bundle.first, "tile", str(fault))
            return end
        computed = b"".join(bundle.leaves)
        if computed == stored:
            return end
        if len(stored) != tile.width * 32:
            self._add(bundle.first, "tile", f"{tile.path} holds {len(stored)} bytes, not {tile.width * 32}")
        first = end
        for number, leaf in enumerate(bundle.leaves):
            if stored[number * 32 : number * 32 + 32] != leaf:
                first = min(first, bundle.first + number)
                message = f"the event's bytes are not those that {tile.path} was made of: either was changed"
                self._add(bundle.first + number, "leaf", message, bundle.facts[number])
                if len(bundle.leaves) != bundle.tile.width:
                    break
        return first

    def _grow(self, bundle: EntryBundle) -> None:
        inside = any(bundle.first < size < bundle.first + TILE_WIDTH for size in self.signed.roots)
        if bundle.root is not None and not inside:
            self._tiles(self._tree.add_tile(b"".join(bundle.leaves), bundle.root))
            self._checkpoints()
            return
        for leaf in bundle.leaves:
            self._tiles(self._tree.add(leaf))
            self._checkpoints()

    def _tiles(self, tiles: Iterable[tuple[int, int, bytes]]) -> None:
        """Compare the tiles above the lowest level, which `_compare_leaves` compares hash by hash."""
        for level, index, hashes in tiles:
            if level:
                tile = Tile(level, index, len(hashes) // 32)
                try:
                    if self.log.tile(tile) != hashes:
                        self._add(None, "tile", f"{tile.path} does not have the hashes of the events below it")
                except NotReadable as fault:
                    self._add(None, "tile", str(fault))

    def _checkpoints(self) -> None:
        """Compare the root at this size with the signed roots."""
        size = self._tree.size
        for root, name in self.signed.roots.get(size, ()):
            if self._tree.root() == root:
                self.verified_size = max(self.verified_size, size)
            else:
                since = f"; they did up to size {self.verified_size}" if self.verified_size else ""
                self._add(None, "root", f"the first {size} events do not make the root that {name} has{since}")

    def _chain(self, position: int, fact: Fact) -> None:
        stream, version, hash_, previous, time, event_id, cause, link = fact
        known, known_hash, known_time = self.heads.get(stream, (0, ZERO_HASH, ""))
        if version <= known:
            self._add(position, "repeated", f"the version is repeated: the stream is at {known} already", fact)
            return
        if version > known + 1:
            missing = str(known + 1) if version == known + 2 else f"{known + 1} to {version - 1}"
            self._add(position, "missing", f"it follows version {known}: {missing} is missing before it", fact)
        elif previous != known_hash:
            self._add(position, "chain", f"its previoushash is not the hash of version {known}", fact)
        if time < known_time:
            self._add(position, "time", f"it was recorded at {time}, before version {known}", fact)
        self._compare_time(position, fact)
        self.heads[stream] = version, hash_.hex(), time
        self.latest = max(self.latest, time)
        self.links.event(event_id)
        if cause:
            self.links.caused(cause, position)
        if link is not None:
            self.links.rests_on(link, self.log.service, position, time)

    def _compare_time(self, position: int, fact: Fact) -> None:
        """Compare an event's time with the times by which it existed, of those that cover its position."""
        if self.exported_at and fact[4] > self.exported_at:
            self.ahead.count += 1
            self.ahead.first = self.ahead.first or f"{self.log.service}, position {position}, at {quoted(fact[4])}"
        while self._bounds and self._bounds[-1].size <= position:
            self._bounds.pop()
        ahead = next((bound for bound in reversed(self._bounds) if fact[4] > bound.latest), None)
        if ahead is not None:
            self._add(position, "ahead", f"it was recorded at {fact[4]}, which is ahead: {ahead.says}", fact)

    def _add(self, position: int | None, kind: str, message: str, fact: Fact | None = None) -> None:
        stream, version = fact[:2] if fact is not None else (None, None)
        self.findings.add(Finding(self.log.service, kind, message, position, stream, version))

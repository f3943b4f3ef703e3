"""One log walked from its first event to its last: tree, tiles, checkpoints, and the chain of every stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from shared.events.canonical import ZERO_HASH
from shared.tlog.merkle import TILE_WIDTH, Tree
from shared.tlog.tiles import Tile
from tools.audit.bundle import Log, NotReadable
from tools.audit.entry_bundles import Fact, Slice
from tools.audit.findings import Finding, Findings
from tools.audit.links import Links
from tools.audit.signatures import Signed

Head = tuple[int, str, str]
"""Version, hash in hex and time of a stream's last event."""


@dataclass
class Walk:
    """The walk over one log. `roots` are the roots that it must have at the sizes of its checkpoints."""

    log: Log
    signed: Signed
    findings: Findings
    links: Links
    heads: dict[str, Head] = field(default_factory=dict)
    latest: str = ""
    events: int = 0
    held: int = 0
    _tree: Tree = field(default_factory=Tree)
    _broken: bool = False

    def walk(self, slices: Iterable[Slice]) -> Iterator[int]:
        """Take the log's files of entries in order; yield the number of events taken after each."""
        self.links.log(self.log.service)
        self._checkpoints()
        for each in slices:
            self._take(each)
            yield self.events
            if self._broken:
                return
        self._tiles(self._tree.partial())

    def _take(self, each: Slice) -> None:
        if each.unreadable:
            self._says(each.first, "entries", f"{each.unreadable}: what follows in this log was not looked at")
            self._broken = True
            return
        compared = self._compare_leaves(each)
        for number, fact in enumerate(each.facts):
            if fact is not None:
                self._chain(each.first + number, fact)
        for position, reason, detail in each.faults:
            fact = each.facts[position - each.first]
            self._says(position, reason, f"{reason}: {detail}", fact)
        self.events += len(each.leaves)
        if len(each.leaves) != each.tile.width:
            what = f"{each.tile.path} holds {len(each.leaves)} events, not {each.tile.width}"
            self._says(compared, "entries", f"{what}: what follows in this log was not looked at")
            self._broken = True
            return
        self._grow(each)

    def _compare_leaves(self, each: Slice) -> int:
        """Compare the events with the lowest tile; return the first position that differs, or the one after the last.

        A tile is what the exporting log itself says of each event, so it tells which one was changed.
        """
        tile = Tile(0, each.tile.index, each.tile.width)
        end = each.first + len(each.leaves)
        try:
            told = self.log.tile(tile)
        except NotReadable as fault:
            self._says(each.first, "tile", str(fault))
            return end
        here = b"".join(each.leaves)
        if here == told:
            return end
        if len(told) != tile.width * 32:
            self._says(each.first, "tile", f"{tile.path} holds {len(told)} bytes, not {tile.width * 32}")
        first = end
        for number, leaf in enumerate(each.leaves):
            if told[number * 32 : number * 32 + 32] != leaf:
                first = min(first, each.first + number)
                what = f"the event's bytes are not those that {tile.path} was made of: either was changed"
                self._says(each.first + number, "leaf", what, each.facts[number])
                if len(each.leaves) != each.tile.width:
                    break
        return first

    def _grow(self, each: Slice) -> None:
        inside = any(each.first < size < each.first + TILE_WIDTH for size in self.signed.roots)
        if each.root is not None and not inside:
            self._tiles(self._tree.add_tile(b"".join(each.leaves), each.root))
            self._checkpoints()
            return
        for leaf in each.leaves:
            self._tiles(self._tree.add(leaf))
            self._checkpoints()

    def _tiles(self, tiles: Iterable[tuple[int, int, bytes]]) -> None:
        """Compare the tiles above the lowest; that one was compared hash by hash."""
        for level, index, hashes in tiles:
            if level:
                tile = Tile(level, index, len(hashes) // 32)
                try:
                    if self.log.tile(tile) != hashes:
                        self._says(None, "tile", f"{tile.path} is not what the events below it make")
                except NotReadable as fault:
                    self._says(None, "tile", str(fault))

    def _checkpoints(self) -> None:
        """Compare the root at this size with what was signed for it."""
        size = self._tree.size
        for root, name in self.signed.roots.get(size, ()):
            if self._tree.root() == root:
                self.held = max(self.held, size)
            else:
                since = f"; they did up to size {self.held}" if self.held else ""
                self._says(None, "root", f"the first {size} events do not make the root that {name} has{since}")

    def _chain(self, position: int, fact: Fact) -> None:
        stream, version, hash_, previous, time, event_id, cause, rests = fact
        known, known_hash, known_time = self.heads.get(stream, (0, ZERO_HASH, ""))
        if version <= known:
            self._says(position, "repeated", f"the version comes a second time: the stream is at {known} already", fact)
            return
        if version > known + 1:
            missing = str(known + 1) if version == known + 2 else f"{known + 1} to {version - 1}"
            self._says(position, "missing", f"it follows version {known}: {missing} is missing before it", fact)
        elif previous != known_hash:
            self._says(position, "chain", f"its previoushash is not the hash of version {known}", fact)
        if time < known_time:
            self._says(position, "time", f"it was recorded at {time}, before version {known}", fact)
        self.heads[stream] = version, hash_.hex(), time
        self.latest = max(self.latest, time)
        self.links.event(event_id)
        if cause:
            self.links.caused(cause, position)
        if rests is not None:
            self.links.rests_on(rests, self.log.service, position, time)

    def _says(self, position: int | None, kind: str, what: str, fact: Fact | None = None) -> None:
        stream, version = fact[:2] if fact is not None else (None, None)
        self.findings.add(Finding(self.log.service, kind, what, position, stream, version))

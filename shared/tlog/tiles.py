"""C2SP tlog-tiles: the paths of tiles and entry bundles, and the encoding of a bundle."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shared.tlog.merkle import TILE_HEIGHT, TILE_WIDTH

ENTRY_LIMIT = 2**16 - 1
BUNDLE_LIMIT = TILE_WIDTH * (2 + ENTRY_LIMIT)
TILE_LIMIT = TILE_WIDTH * 32
CHECKPOINT = "checkpoint"
_PATH = re.compile(r"tile/(entries|0|[1-5]?[0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


class NotABundle(ValueError):
    """The bytes are no entry bundle."""


@dataclass(frozen=True)
class Tile:
    """A tile, or an entry bundle where `level` is None; `width` of its 256 hashes or entries exist."""

    level: int | None
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """The path below the log's prefix: `tile/0/x001/067`, `tile/entries/000.p/5`."""
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{'entries' if self.level is None else self.level}/{_encoded(self.index)}{partial}"

    @classmethod
    def at(cls, path: str) -> Tile | None:
        """Return the tile of a path, or None for an invalid path."""
        match = _PATH.fullmatch(path)
        if match is None:
            return None
        level, index, width = match.groups()
        number = int(index.replace("x", "").replace("/", ""))
        tile = cls(None if level == "entries" else int(level), number, int(width) if width else TILE_WIDTH)
        return tile if tile.path == path else None

    def within(self, size: int) -> bool:
        """Tell whether a tree of this size has the tile in at least this width."""
        return 0 < self.width <= _width(size, self.level or 0, self.index)


def tiles_of(size: int) -> Iterator[Tile]:
    """Yield every tile of a tree, the partial ones included, level by level."""
    level = 0
    while size >> (TILE_HEIGHT * level):
        nodes = size >> (TILE_HEIGHT * level)
        yield from (Tile(level, index, _width(size, level, index)) for index in range(-(-nodes // TILE_WIDTH)))
        level += 1


def bundles_of(size: int, start: int = 0) -> Iterator[Tile]:
    """Yield every entry bundle of a log that reaches past position `start`."""
    for index in range(start // TILE_WIDTH, -(-size // TILE_WIDTH)):
        yield Tile(None, index, _width(size, 0, index))


def bundle(entries: Iterable[bytes]) -> bytes:
    """Encode an entry bundle: each entry after its length in two bytes."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def entries_of(bundle: bytes) -> list[bytes]:
    """Decode an entry bundle. Raises NotABundle where its last entry is truncated, or it holds far more than 256."""
    entries: list[bytes] = []
    at, end = 0, len(bundle)
    while at < end:
        start = at + 2
        at = start + int.from_bytes(bundle[at:start], "big")
        if start > end or at > end:
            raise NotABundle("its last entry is not whole")
        if len(entries) == 2 * TILE_WIDTH:  # one too many is decoded, so that a check can say which it is
            raise NotABundle(f"it holds far more than {TILE_WIDTH} entries")
        entries.append(bundle[start:at])
    return entries


def _width(size: int, level: int, index: int) -> int:
    return max(0, min(TILE_WIDTH, (size >> (TILE_HEIGHT * level)) - index * TILE_WIDTH))


def _encoded(index: int) -> str:
    text = f"{index % 1000:03}"
    while index := index // 1000:
        text = f"x{index % 1000:03}/{text}"
    return text

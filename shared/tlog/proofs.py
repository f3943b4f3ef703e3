"""Inclusion and consistency proofs, built from the tiles of a tree."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from shared.tlog.merkle import TILE_HEIGHT, TILE_WIDTH, node_hash, root_of, split
from shared.tlog.tiles import Tile

ReadTile = Callable[[Tile], bytes]


class TiledTree:
    """A tree of one size over readable tiles; it reads each tile in the width of this size."""

    def __init__(self, size: int, read: ReadTile) -> None:
        self.size = size
        self._tile = lru_cache(64)(lambda level, index: self._read(read, level, index))

    def root(self) -> bytes:
        """Return the root."""
        return self._range(0, self.size) if self.size else root_of(())

    def leaf(self, position: int) -> bytes:
        """Return the leaf hash at a position."""
        return self._node(0, position)

    def inclusion(self, position: int) -> list[bytes]:
        """Return the proof that the leaf at a position is in this tree."""
        if not 0 <= position < self.size:
            raise ValueError(f"position {position} is not in a tree of {self.size}")
        return self._path(position, 0, self.size)

    def consistency(self, old_size: int) -> list[bytes]:
        """Return the proof that this tree begins with that of `old_size`."""
        if not 0 <= old_size <= self.size:
            raise ValueError(f"a tree of {self.size} does not begin with one of {old_size}")
        return self._extension(old_size, 0, self.size, whole=True) if old_size else []

    def _path(self, position: int, start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        middle = start + _left(end - start)
        if position < middle:
            return [*self._path(position, start, middle), self._range(middle, end)]
        return [*self._path(position, middle, end), self._range(start, middle)]

    def _extension(self, old: int, start: int, end: int, *, whole: bool) -> list[bytes]:
        if old == end:
            return [] if whole else [self._range(start, end)]
        middle = start + _left(end - start)
        if old <= middle:
            return [*self._extension(old, start, middle, whole=whole), self._range(middle, end)]
        return [*self._extension(old, middle, end, whole=False), self._range(start, middle)]

    def _range(self, start: int, end: int) -> bytes:
        width = end - start
        if width & (width - 1) == 0:
            height = width.bit_length() - 1
            return self._node(height, start >> height)
        middle = start + _left(width)
        return node_hash(self._range(start, middle), self._range(middle, end))

    def _node(self, height: int, index: int) -> bytes:
        """Return the root of a complete subtree, from the tile below it."""
        level, above = divmod(height, TILE_HEIGHT)
        first = index << above
        hashes = self._tile(level, first // TILE_WIDTH)
        at = first % TILE_WIDTH
        return root_of(hashes[at : at + (1 << above)])

    def _read(self, read: ReadTile, level: int, index: int) -> list[bytes]:
        width = min(TILE_WIDTH, (self.size >> (TILE_HEIGHT * level)) - index * TILE_WIDTH)
        tile = read(Tile(level, index, width))
        if len(tile) != width * 32:
            raise ValueError(f"{Tile(level, index, width).path} holds {len(tile)} bytes, not {width * 32}")
        return split(tile)


def _left(width: int) -> int:
    """Return the width of the left subtree: the largest power of two below `width`."""
    return 1 << ((width - 1).bit_length() - 1)

"""RFC 6962 Merkle trees: hashes, an append-only tree, and proofs verified without the log."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()
TILE_HEIGHT = 8
TILE_WIDTH = 256

FullTile = tuple[int, int, bytes]
"""A full tile: its level, its index, its 256 hashes as one bytes."""


class ProofFails(ValueError):
    """A proof does not lead to the expected root."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf, 32 bytes."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node over its two children, 32 bytes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes, or over the roots of complete subtrees of one height, the last excepted."""
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        odd = [level[-1]] if len(level) % 2 else []
        level = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)] + odd
    return level[0]


class Tree:
    """An append-only tree: its root at its size, and the hashes of its tiles.

    It holds the roots of the complete subtrees that make up its size, and the hashes of the tiles that are not full.
    """

    def __init__(self) -> None:
        self.size = 0
        self._ranges: list[bytes] = []
        self._levels: list[list[bytes]] = []

    def add(self, leaf: bytes) -> list[FullTile]:
        """Add a leaf hash; return the tiles that became full."""
        full: list[FullTile] = []
        self._append(0, leaf, full)
        self._merge(leaf, 0, full)
        self.size += 1
        return full

    def add_tile(self, hashes: bytes, root: bytes | None = None) -> list[FullTile]:
        """Add 256 leaf hashes in one tile, at a multiple of 256; return the tiles that became full."""
        if self.size % TILE_WIDTH or len(hashes) != TILE_WIDTH * 32:
            raise ValueError("a tile is added whole, where one begins")
        full = [(0, self.size // TILE_WIDTH, hashes)]
        node = root or root_of(split(hashes))
        self._append(1, node, full)
        self._merge(node, TILE_HEIGHT, full)
        self.size += TILE_WIDTH
        return full

    def root(self) -> bytes:
        """Return the root at this size."""
        if not self._ranges:
            return EMPTY_ROOT
        root = self._ranges[-1]
        for left in reversed(self._ranges[:-1]):
            root = node_hash(left, root)
        return root

    def partial(self) -> list[FullTile]:
        """Return the partial tiles, in the form of `add`."""
        return [
            (level, self.size >> (TILE_HEIGHT * (level + 1)), b"".join(hashes))
            for level, hashes in enumerate(self._levels)
            if hashes
        ]

    def _merge(self, node: bytes, height: int, full: list[FullTile]) -> None:
        while (self.size >> height) & 1:
            node = node_hash(self._ranges.pop(), node)
            height += 1
            if height % TILE_HEIGHT == 0:
                self._append(height // TILE_HEIGHT, node, full)
        self._ranges.append(node)

    def _append(self, level: int, node: bytes, full: list[FullTile]) -> None:
        while len(self._levels) <= level:
            self._levels.append([])
        hashes = self._levels[level]
        hashes.append(node)
        if len(hashes) == TILE_WIDTH:
            full.append((level, self.size >> (TILE_HEIGHT * (level + 1)), b"".join(hashes)))
            hashes.clear()


def split(hashes: bytes) -> list[bytes]:
    """Return the 32-byte hashes that a tile holds."""
    return [hashes[at : at + 32] for at in range(0, len(hashes), 32)]


def check_inclusion(leaf: bytes, position: int, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Verify that a leaf hash is at a position of the tree of this size and root. Raises ProofFails."""
    if not 0 <= position < size:
        raise ProofFails(f"position {position} is not in a tree of {size}")
    at, last, node = position, size - 1, leaf
    for hash_ in proof:
        if last == 0:
            raise ProofFails("the proof is too long")
        if at & 1 or at == last:
            node = node_hash(hash_, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, hash_)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofFails("the proof is too short")
    if node != root:
        raise ProofFails(f"the proof does not lead to the root of the tree of {size}")


def check_consistency(old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Verify that the tree of `size` begins with that of `old_size`. Raises ProofFails."""
    if not 0 <= old_size <= size:
        raise ProofFails(f"a tree of {size} cannot begin with one of {old_size}")
    if old_size in (0, size):
        if proof or old_root != (root if old_size == size else EMPTY_ROOT):
            raise ProofFails(f"the roots of the trees of {old_size} and {size} do not agree")
        return
    at, last = old_size - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    nodes = list(proof) if at else [old_root, *proof]
    if not nodes:
        raise ProofFails("the proof is too short")
    older = newer = nodes[0]
    for hash_ in nodes[1:]:
        if last == 0:
            raise ProofFails("the proof is too long")
        if at & 1 or at == last:
            older, newer = node_hash(hash_, older), node_hash(hash_, newer)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            newer = node_hash(newer, hash_)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofFails("the proof is too short")
    if older != old_root:
        raise ProofFails(f"the proof does not lead to the root of the tree of {old_size}")
    if newer != root:
        raise ProofFails(f"the proof does not lead to the root of the tree of {size}")

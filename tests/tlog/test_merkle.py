"""RFC 6962 trees, against the vectors of the Certificate Transparency projects and the definition itself."""

from __future__ import annotations

from functools import cache

import pytest

from shared.tlog.merkle import (
    EMPTY_ROOT,
    ProofFails,
    Tree,
    check_consistency,
    check_inclusion,
    leaf_hash,
    node_hash,
    root_of,
)
from shared.tlog.proofs import TiledTree
from shared.tlog.tiles import Tile, tiles_of

ENTRIES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(str(number).encode()) for number in range(70_000)]
SIZES = (0, 1, 2, 255, 256, 257, 511, 512, 1_000, 65_535, 65_536, 65_537, 70_000)


def by_definition(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY_ROOT
    left = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node_hash(by_definition(leaves[:left]), by_definition(leaves[left:]))


def grown(size: int) -> tuple[Tree, dict[Tile, bytes]]:
    """A tree of some size, grown in whole tiles as far as they go, and its tiles."""
    tree, tiles = Tree(), {}
    while size - tree.size >= 256:
        full = tree.add_tile(b"".join(LEAVES[tree.size : tree.size + 256]))
        tiles |= {Tile(level, index): hashes for level, index, hashes in full}
    for leaf in LEAVES[tree.size : size]:
        tree.add(leaf)
    tiles |= {Tile(level, index, len(hashes) // 32): hashes for level, index, hashes in tree.partial()}
    return tree, tiles


@cache
def whole() -> dict[Tile, bytes]:
    return grown(70_000)[1]


def tiled(size: int) -> TiledTree:
    """A tree read from tiles that may be wider than requested."""

    def read(tile: Tile) -> bytes:
        hashes = next(whole()[each] for each in whole() if (each.level, each.index) == (tile.level, tile.index))
        return hashes[: tile.width * 32]

    return TiledTree(size, read)


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_of_the_known_vectors(size: int) -> None:
    tree = Tree()
    for entry in ENTRIES[:size]:
        tree.add(leaf_hash(entry))
    assert tree.root().hex() == ROOTS[size]
    assert root_of([leaf_hash(entry) for entry in ENTRIES[:size]]).hex() == ROOTS[size]


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_a_tree_grown_by_tiles_or_by_leaves_is_that_of_the_definition(size: int) -> None:
    one = Tree()
    full = [tile for leaf in LEAVES[:size] for tile in one.add(leaf)]
    tree, tiles = grown(size)
    assert tree.root() == one.root() == by_definition(LEAVES[:size]) == tiled(size).root()
    assert set(tiles) == set(tiles_of(size))
    assert tree.partial() == one.partial()
    assert {Tile(level, index): hashes for level, index, hashes in full}.items() <= tiles.items()


def test_a_tile_is_added_whole_and_in_its_place() -> None:
    tree = Tree()
    with pytest.raises(ValueError, match="whole"):
        tree.add_tile(b"".join(LEAVES[:255]))
    tree.add(LEAVES[0])
    with pytest.raises(ValueError, match="whole"):
        tree.add_tile(b"".join(LEAVES[:256]))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 300, 65_537, 70_000])
def test_each_position_is_proved_and_no_other(size: int) -> None:
    tree = tiled(size)
    for position in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
        proof = tree.inclusion(position)
        check_inclusion(tree.leaf(position), position, size, tree.root(), proof)
        for wrong in (
            (LEAVES[position - 1], position, size, tree.root(), proof),
            (LEAVES[position], position, size, EMPTY_ROOT, proof),
            (LEAVES[position], position, size, tree.root(), [*proof, EMPTY_ROOT]),
            (LEAVES[position], size, size, tree.root(), proof),
            *([(LEAVES[position], position ^ 1, size, tree.root(), proof)] if size > 1 else []),
            *([(LEAVES[position], position, size, tree.root(), proof[:-1])] if proof else []),
        ):
            with pytest.raises(ProofFails):
                check_inclusion(*wrong)


@pytest.mark.parametrize(("old", "size"), [(a, b) for b in (*range(10), 300, 70_000) for a in range(min(b, 9) + 1)])
def test_each_earlier_tree_is_proved_and_no_other(old: int, size: int) -> None:
    roots = tiled(old).root(), tiled(size).root()
    proof = tiled(size).consistency(old)
    check_consistency(old, roots[0], size, roots[1], proof)
    for wrong in (
        (old, b"\1" * 32, size, roots[1], proof),
        (old, roots[0], size, roots[1], [*proof, EMPTY_ROOT]),
        (size + 1, roots[0], size, roots[1], proof),
        *([(old, roots[0], size, b"\1" * 32, proof)] if old else []),
        *([(old, roots[0], size, roots[1], proof[:-1])] if proof else []),
        *([(old - 1, roots[0], size, roots[1], proof)] if old > 1 else []),
    ):
        with pytest.raises(ProofFails):
            check_consistency(*wrong)


@pytest.mark.parametrize("old", [255, 256, 257, 65_535, 65_536, 65_537, 69_999])
def test_proofs_across_tiles(old: int) -> None:
    tree = tiled(70_000)
    check_consistency(old, by_definition(LEAVES[:old]), 70_000, tree.root(), tree.consistency(old))


def test_a_leaf_outside_the_tree_has_no_proof() -> None:
    with pytest.raises(ValueError, match="not in a tree"):
        tiled(7).inclusion(7)
    with pytest.raises(ValueError, match="does not begin"):
        tiled(7).consistency(8)
    with pytest.raises(ValueError, match=r"tile/0/000\.p/7 holds 3 bytes"):
        TiledTree(7, lambda _: b"abc").root()

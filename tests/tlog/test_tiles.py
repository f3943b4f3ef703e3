"""Paths as C2SP tlog-tiles writes them, and entry bundles."""

from __future__ import annotations

import pytest

from shared.tlog.tiles import NotABundle, Tile, bundle, bundles_of, entries_of, tiles_of

PATHS = {
    "tile/0/x001/x234/067": Tile(0, 1_234_067),
    "tile/0/000.p/1": Tile(0, 0, 1),
    "tile/1/x001/000.p/255": Tile(1, 1_000, 255),
    "tile/63/999": Tile(63, 999),
    "tile/entries/x123/456.p/12": Tile(None, 123_456, 12),
}


@pytest.mark.parametrize(("path", "tile"), PATHS.items())
def test_a_path_is_written_and_read(path: str, tile: Tile) -> None:
    assert tile.path == path
    assert Tile.at(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        *("tile/64/000", "tile/00/000", "tile/0/0", "tile/0/x000/001", "tile/0/1000", "tile/0/000.p/256"),
        *("tile/0/000.p/0", "tile/0/000.p/01", "tile/0/001/067", "/tile/0/000", "tile/0/000/", "tile/0/٠٠٠"),
        *("tile/data/000", "tile/0/000\n", "tile/0/../0/000", "checkpoint"),
    ],
)
def test_an_invalid_tile_path_is_refused(path: str) -> None:
    assert Tile.at(path) is None


def test_the_tiles_of_the_example_in_the_specification() -> None:
    assert [tile.path for tile in tiles_of(70_000) if tile.width < 256 or tile.level] == [
        "tile/0/273.p/112",
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ]
    assert [tile.path for tile in bundles_of(70_000, 69_700)] == ["tile/entries/272", "tile/entries/273.p/112"]
    assert list(tiles_of(0)) == list(bundles_of(0)) == []


def test_a_tile_beyond_the_tree_is_not_within_it() -> None:
    assert all(tile.within(70_000) for tile in (*tiles_of(70_000), Tile(0, 273, 1), Tile(None, 0, 3), Tile(1, 1, 17)))
    assert not any(
        tile.within(70_000) for tile in (Tile(0, 273), Tile(0, 273, 113), Tile(0, 274, 1), Tile(3, 0, 1), Tile(2, 0))
    )


@pytest.mark.parametrize("entries", [[], [b""], [b"a", b"", b"bc"], [b"x" * 65_535, b"y"]])
def test_a_bundle_gives_back_its_entries(entries: list[bytes]) -> None:
    assert entries_of(bundle(entries)) == entries


@pytest.mark.parametrize("raw", [b"\0", b"\0\1", b"\0\2a", b"\0\1a\0", b"\0\1a\0\1"])
def test_a_bundle_that_broke_off_is_none(raw: bytes) -> None:
    with pytest.raises(NotABundle):
        entries_of(raw)


def test_an_entry_that_no_bundle_can_hold() -> None:
    with pytest.raises(OverflowError):
        bundle([b"x" * 65_536])

"""Export bundles on disk, in the layout of docs/bundle.md: bounded reads and atomic writes that follow no link."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from shared.events.catalogue import SERVICES
from shared.tlog.checkpoints import Checkpoint
from shared.tlog.merkle import TILE_WIDTH
from shared.tlog.notes import NotAKey, NotANote, Note, Verifier
from shared.tlog.tiles import BUNDLE_LIMIT, TILE_LIMIT, NotABundle, Tile, bundles_of, entries_of
from tools.files import NotAFile, names_below, read_below, remove_below, sentence, write_below

FORMAT = 1
MANIFEST, TRACES, README, SCHEMAS = "manifest.json", "traces.json", "README.md", "schemas"
CHECKPOINT, CHECKPOINTS, CURRENT_KEY, ALL_KEYS = "checkpoint", "checkpoints", "log.vkey", "log.vkeys"
BREAKS = "breaks"
SMALL_LIMIT = 1_000_000
TRACES_LIMIT = 16 * 1024 * 1024
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")


class NotReadable(Exception):
    """The folder is no bundle, or a file of it cannot be read or written; the message names it."""


@dataclass(frozen=True)
class Log:
    """One service's tiled log in a bundle."""

    service: str
    folder: Path

    def file(self, name: str) -> bytes:
        """Return a file's bytes. Raises NotReadable."""
        tile = Tile.at(name)
        return self.tile(tile) if tile else _read(self.folder.parent, self._named(name), SMALL_LIMIT)

    def tile(self, tile: Tile) -> bytes:
        """Return the bytes of a tile or an entry bundle. Raises NotReadable."""
        limit = BUNDLE_LIMIT if tile.level is None else TILE_LIMIT
        return _read(self.folder.parent, self._named(tile.path), limit)

    def write(self, name: str, content: bytes) -> None:
        """Write a file atomically. Raises NotReadable."""
        _write(self.folder.parent, self._named(name), content)

    def remove(self, name: str) -> None:
        """Remove a file, and its folder if that is then empty. Raises NotReadable."""
        try:
            remove_below(self.folder.parent, self._named(name))
        except NotAFile as fault:
            raise NotReadable(str(fault)) from None

    def has(self, name: str) -> bool:
        """Tell whether there is a file, or a link, of this name."""
        return os.path.lexists(self.folder / name)

    def _named(self, name: str) -> str:
        return f"{self.folder.name}/{name}"

    def checkpoint(self) -> Checkpoint:
        """Return the newest checkpoint, its signature unchecked (`verify` checks it). Raises NotReadable."""
        try:
            return Checkpoint.parse(Note.parse(self.file(CHECKPOINT)).text)
        except NotANote as fault:
            raise NotReadable(f"{self.folder / CHECKPOINT}: {fault}") from None

    def sizes(self) -> list[int]:
        """Return the sizes of all stored checkpoints, the newest last; none if their folder cannot be read."""
        return self._numbers(CHECKPOINTS)

    def breaks(self) -> list[tuple[str, bytes]]:
        """Return name and bytes of each declared break, the oldest first, unchecked. Raises NotReadable."""
        names = [f"{BREAKS}/{number}" for number in self._numbers(BREAKS)]
        return [(name, self.file(name)) for name in names]

    def _numbers(self, folder: str) -> list[int]:
        try:
            names = names_below(self.folder.parent, self._named(folder))
        except NotAFile:
            return []
        return sorted(int(name) for name in names if _SIZE.fullmatch(name))

    def keys(self) -> list[Verifier]:
        """Return every signing key that the bundle names for this log, the current one first."""
        lines = self.file(ALL_KEYS).decode(errors="replace").split()
        try:
            return [Verifier.parse(line) for line in lines]
        except NotAKey as fault:
            raise NotReadable(f"{self.folder / ALL_KEYS}: {fault}") from None

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Yield position and bytes of the events from `start` to before `end`, in order. Raises NotReadable.

        Without `end` it stops at the checkpoint's size. One entry bundle is in memory at a time.
        """
        stop = self.checkpoint().size if end is None else end
        for tile in bundles_of(stop, start):
            try:
                entries = entries_of(self.tile(tile))
            except NotABundle as fault:
                raise NotReadable(f"{self.folder / tile.path}: {fault}") from None
            if len(entries) < tile.width:
                raise NotReadable(f"{self.folder / tile.path} holds {len(entries)} events, not {tile.width}")
            first = tile.index * TILE_WIDTH
            for position in range(max(start, first), min(stop, first + TILE_WIDTH)):
                yield position, entries[position - first]


@dataclass(frozen=True)
class Bundle:
    """An export bundle."""

    folder: Path

    @property
    def logs(self) -> dict[str, Log]:
        """The bundle's logs by service. Raises NotReadable if there is none."""
        try:
            logs = {name: Log(name, self.folder / name) for name in SERVICES if (self.folder / name).is_dir()}
        except OSError as fault:
            raise NotReadable(sentence(self.folder, "read", fault)) from None
        if not logs:
            raise NotReadable(f"{self.folder} is no bundle: it has no folder of a service")
        return logs

    def manifest(self) -> dict[str, Any]:
        """Return the export's manifest. Raises NotReadable."""
        return _json(self.folder, MANIFEST, SMALL_LIMIT)

    def traces(self) -> dict[str, Any]:
        """Return `shape`, and `traces`: digest and based_on by reference. Raises NotReadable."""
        return _json(self.folder, TRACES, TRACES_LIMIT)

    def write(self, name: str, content: bytes) -> None:
        """Write a file atomically. Raises NotReadable."""
        _write(self.folder, name, content)


def _read(folder: Path, name: str, limit: int) -> bytes:
    try:
        return read_below(folder, name, limit)
    except NotAFile as fault:
        raise NotReadable(str(fault)) from None


def _write(folder: Path, name: str, content: bytes) -> None:
    try:
        write_below(folder, name, content)
    except NotAFile as fault:
        raise NotReadable(str(fault)) from None


def _json(folder: Path, name: str, limit: int) -> dict[str, Any]:
    """Read a JSON object that can be written again, which one that is nested too deep cannot."""
    try:
        content = orjson.loads(_read(folder, name, limit))
        orjson.dumps([content])  # a report holds it one level deeper
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        content = None
    if not isinstance(content, dict):
        raise NotReadable(f"{folder / name} is not a JSON object")
    return content

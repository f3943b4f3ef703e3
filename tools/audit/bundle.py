"""A reader of export bundles on disk, in the layout of docs/bundle.md. It writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from shared.events.catalogue import SERVICES
from shared.tlog.checkpoints import Checkpoint
from shared.tlog.merkle import TILE_WIDTH
from shared.tlog.notes import NotAKey, NotANote, Note, Verifier
from shared.tlog.tiles import NotABundle, Tile, bundles_of, entries_of

FORMAT = 1
MANIFEST, TRACES, README, SCHEMAS = "manifest.json", "traces.json", "README.md", "schemas"
CHECKPOINT, CHECKPOINTS, CURRENT_KEY, ALL_KEYS = "checkpoint", "checkpoints", "log.vkey", "log.vkeys"


class NotReadable(Exception):
    """The folder is no bundle, or a file of it cannot be read; the message names it."""


@dataclass(frozen=True)
class Log:
    """One service's tiled log in a bundle."""

    service: str
    folder: Path

    def file(self, name: str) -> bytes:
        """Return a file's bytes. Raises NotReadable."""
        return _read(self.folder / name)

    def tile(self, tile: Tile) -> bytes:
        """Return the bytes of a tile or an entry bundle. Raises NotReadable."""
        return self.file(tile.path)

    def checkpoint(self) -> Checkpoint:
        """Return the newest checkpoint, its signature unchecked (`verify` checks it). Raises NotReadable."""
        try:
            return Checkpoint.parse(Note.parse(self.file(CHECKPOINT)).text)
        except NotANote as fault:
            raise NotReadable(f"{self.folder / CHECKPOINT}: {fault}") from None

    def sizes(self) -> list[int]:
        """Return the sizes of all stored checkpoints, the newest last."""
        folder = self.folder / CHECKPOINTS
        return sorted(int(file.name) for file in folder.iterdir() if file.name.isdecimal()) if folder.is_dir() else []

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
        logs = {name: Log(name, self.folder / name) for name in SERVICES if (self.folder / name).is_dir()}
        if not logs:
            raise NotReadable(f"{self.folder} is no bundle: it has no folder of a service")
        return logs

    def manifest(self) -> dict[str, Any]:
        """Return the export's manifest. Raises NotReadable."""
        return _json(self.folder / MANIFEST)

    def traces(self) -> dict[str, Any]:
        """Return `shape`, and `traces`: digest and based_on by reference. Raises NotReadable."""
        return _json(self.folder / TRACES)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise NotReadable(f"{path} cannot be read ({type(fault).__name__})") from None


def _json(path: Path) -> dict[str, Any]:
    try:
        content = orjson.loads(_read(path))
    except orjson.JSONDecodeError:
        content = None
    if not isinstance(content, dict):
        raise NotReadable(f"{path} is not a JSON object")
    return content

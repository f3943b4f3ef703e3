"""The services as a source of exports, over HTTP with an auditor's token."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shared.tlog.merkle import TILE_WIDTH, leaf_hash, split
from shared.tlog.notes import NotAKey, Verifier
from shared.tlog.tiles import NotABundle, Tile, bundles_of, entries_of
from tools.audit.entry_bundles import place
from tools.audit.log_writer import CannotExport
from tools.client.services import Services


@dataclass
class HttpSource:
    """The services as a source of exports. Without pinned keys it uses the keys that the services name."""

    services: Services
    pinned_keys: Sequence[Verifier] = ()
    name: str = "http"
    remarks: list[str] = field(default_factory=list)

    def keys(self, service: str) -> Sequence[Verifier]:
        """Return the keys of a log."""
        if self.pinned_keys:
            return [key for key in self.pinned_keys if key.name.endswith(f"/{service}")]
        try:
            return [Verifier.parse(line) for line in self.services.raw(service, "/log/keys").decode().split()]
        except (NotAKey, UnicodeDecodeError) as fault:
            raise CannotExport(f"{service} names an invalid key: {fault}") from None

    def checkpoints(self, service: str) -> Mapping[int, bytes]:
        """Return every signed checkpoint."""
        notes: dict[int, bytes] = {}
        after: int | None = -1
        while after is not None:
            page = self.services.get(service, "/log/checkpoints", after=after, limit=1_000)
            notes |= {each["size"]: each["note"].encode() for each in page["items"]}
            after = page.get("next")
        return notes

    def breaks(self, service: str) -> Sequence[bytes]:
        """Return every declared break; none of a service from before there were any."""
        answer = self.services.find(service, "/log/breaks") or {"items": []}
        return [note.encode() for note in answer["items"]]

    def wait_for_checkpoint(self, service: str, seconds: float) -> bool:
        """Wait until a checkpoint covers every published event; return False after a timeout in seconds."""
        until = time.monotonic() + seconds
        while True:
            sizes = self.services.get(service, "/log")
            if sizes["sealed"] >= sizes["published"]:
                return True
            if time.monotonic() > until:
                return False
            time.sleep(0.2)

    def entries(self, service: str, start: int, end: int) -> Iterable[bytes]:
        """Yield events in order, each checked against its leaf hash in the service's ledger."""
        for tile in bundles_of(end, start):
            first = tile.index * TILE_WIDTH
            yield from self._tile(service, tile)[max(0, start - first) :]

    def _tile(self, service: str, tile: Tile) -> list[bytes]:
        leaves = split(self.services.raw(service, f"/log/{Tile(0, tile.index, tile.width).path}"))
        try:
            entries = entries_of(self.services.raw(service, f"/log/{tile.path}"))
        except NotABundle as fault:
            raise CannotExport(f"{service}, {tile.path}: {fault}") from None
        for position in _mismatches(entries, leaves):
            raise CannotExport(
                f"{service}, position {tile.index * TILE_WIDTH + position}{place(entries[position])}: the stored bytes "
                "do not have the hash that the ledger holds: the store, or the ledger, was changed"
            )
        return entries


def _mismatches(entries: Sequence[bytes], leaves: Sequence[bytes]) -> Iterator[int]:
    for position, (entry, leaf) in enumerate(zip(entries, leaves, strict=False)):
        if leaf_hash(entry) != leaf:
            yield position

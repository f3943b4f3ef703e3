"""The events past a bundle that the services' newest checkpoints cover: what newer live traces may rest on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

import orjson

from services.recommendations.projection import TOPICS
from shared.consumer.record import topic_of
from shared.tlog.checkpoints import opened
from shared.tlog.merkle import TILE_WIDTH, leaf_hash
from shared.tlog.notes import NotANote
from shared.tlog.proofs import TiledTree
from shared.tlog.tiles import CHECKPOINT, NotABundle, Tile, bundles_of, entries_of
from tools.audit.bundle import Bundle, Log
from tools.client.services import Services
from tools.client.wait import lacking

COVERED_SECONDS = 90.0


def unsigned_versions(
    services: Services, bundle: Bundle, versions: Mapping[str, int], seconds: float = COVERED_SECONDS
) -> list[str]:
    """Wait until checkpoints cover these streams up to these versions; return those that none covers in time.

    The services' checkpoints count under the bundle's keys. Raises Refused, Unreachable, NotReadable.
    """
    logs = [log for log in bundle.logs.values() if topic_of(log.service) in TOPICS]

    def covered() -> dict[str, int]:
        events = chain.from_iterable(_covered(services, log) for log in logs)
        return dict(sorted(events))

    return lacking(versions, covered, seconds)


def _covered(services: Services, log: Log) -> Iterator[tuple[str, int]]:
    """Yield stream and version of each event past a bundle's log that the service's newest checkpoint covers."""

    def read(tile: Tile) -> bytes:
        return services.raw(log.service, f"/log/{tile.path}")

    try:
        checkpoint, _, signers = opened(services.raw(log.service, f"/log/{CHECKPOINT}"), log.keys())
        tree = TiledTree(checkpoint.size, read)
        if not signers or tree.root() != checkpoint.root:
            return
        start = log.checkpoint().size
        for tile in bundles_of(checkpoint.size, start):
            for at, raw in enumerate(entries_of(read(tile)), start=tile.index * TILE_WIDTH):
                if at >= start and tree.leaf(at) == leaf_hash(raw):
                    event = orjson.loads(raw)
                    yield event["subject"], event["streamversion"]
    except (NotABundle, NotANote, ValueError):
        return

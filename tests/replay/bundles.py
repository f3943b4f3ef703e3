"""Synthetic bundles, in the parts that a replay reads: entries under a checkpoint, and the digests beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from services.recommendations.trace import SHAPE, trace_bytes
from shared.consumer.record import KafkaRecord
from shared.events.canonical import sha256_hex
from shared.events.catalogue import SERVICES
from shared.tlog.checkpoints import Checkpoint
from shared.tlog.merkle import leaf_hash, root_of
from shared.tlog.notes import Signer
from shared.tlog.tiles import TILE_WIDTH, bundle, bundles_of
from tests.history import History, composed
from tools.simulate.history import history

Logs = dict[str, list[bytes]]


def of_history(events: History) -> Logs:
    """Return the ledgers of a hand-written history."""
    return ledgers((record.topic.rpartition(".")[2], record.value or b"") for record in in_order(events))


def simulated(events: int, seed: int = 7) -> Logs:
    """Return the ledgers of a simulated history."""
    return ledgers((commit.service, raw) for commit in history(events, seed) for raw in commit.raws)


def in_order(events: History) -> list[KafkaRecord]:
    """Return all records by their positions."""
    return sorted(events.all(), key=lambda record: (record.topic, record.offset))


def ledgers(events: Iterable[tuple[str, bytes]]) -> Logs:
    """Return the events by service, in order."""
    logs: Logs = {service: [] for service in SERVICES}
    for service, raw in events:
        logs[service].append(raw)
    return logs


def written(folder: Path, logs: Logs, traces: Mapping[str, dict[str, Any]] | None = None) -> Path:
    """Write a bundle, with the digests of these traces."""
    for service, events in logs.items():
        signer = Signer.generate(f"throughline.synthetic/{service}")
        checkpoint = Checkpoint(signer.name, len(events), root_of([leaf_hash(raw) for raw in events]))
        for tile in bundles_of(len(events)):
            file = folder / service / tile.path
            file.parent.mkdir(parents=True, exist_ok=True)
            first = tile.index * TILE_WIDTH
            file.write_bytes(bundle(events[first : first + tile.width]))
        (folder / service).mkdir(parents=True, exist_ok=True)
        (folder / service / "checkpoint").write_bytes(checkpoint.signed(signer).raw())
    digests = {
        reference: {"digest": sha256_hex(trace_bytes(trace)), "based_on": trace["based_on"]}
        for reference, trace in (traces or {}).items()
    }
    (folder / "traces.json").write_bytes(orjson.dumps({"shape": SHAPE, "traces": digests}))
    (folder / "manifest.json").write_bytes(orjson.dumps({"shape": SHAPE}))
    return folder


def expected(logs: Logs) -> dict[str, dict[str, Any]]:
    """Return the traces of these ledgers by the plain way: fold all events of a stream in one batch."""
    events = History()
    return composed(
        [
            events.record(orjson.loads(raw)["subject"], raw, service)
            for service in ("meetings", "recommendations")
            for raw in logs[service]
        ]
    )

"""Synthetic bundles, as far as a replay looks at them: entries under a checkpoint, and the digests beside them."""

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
    return ledgers((arrival.topic.rpartition(".")[2], arrival.value or b"") for arrival in in_order(events))


def simulated(events: int, seed: int = 7) -> Logs:
    """Return the ledgers of a simulated history."""
    return ledgers((made.service, raw) for made in history(events, seed) for raw in made.raws)


def in_order(events: History) -> list[KafkaRecord]:
    """Return all records by their positions."""
    return sorted(events.all(), key=lambda arrival: (arrival.topic, arrival.offset))


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
    said = {
        reference: {"digest": sha256_hex(trace_bytes(trace)), "based_on": trace["based_on"]}
        for reference, trace in (traces or {}).items()
    }
    (folder / "traces.json").write_bytes(orjson.dumps({"shape": SHAPE, "traces": said}))
    return folder


def expected(logs: Logs) -> dict[str, dict[str, Any]]:
    """Return the traces that these ledgers make, by the plain way: every event of a stream folded at once."""
    events = History()
    return composed(
        [
            events.record(orjson.loads(raw)["subject"], raw, service)
            for service in ("meetings", "recommendations")
            for raw in logs[service]
        ]
    )

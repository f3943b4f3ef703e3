"""Replay in memory: hash, decode, chain, fold, compose."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from benchmarks.job import Gate
from benchmarks.jobs.decoding import quiet
from services.recommendations.trace import trace_bytes
from shared.consumer.record import KafkaRecord
from tools.replay.replaying import Replaying
from tools.simulate import records


async def replaying(gate: Gate, file: str, without_gc: bool = True) -> dict[str, Any]:
    """Replay every record of a file, as `throughline replay` does, to the compared bytes of every trace."""
    await gate.go()
    quiet(without_gc)
    begun = time.process_time()
    with Replaying() as replaying:
        for record in records.read(Path(file)):
            headers = tuple(record.headers)
            replaying.take(KafkaRecord(record.topic, 0, record.position, record.key, record.value, headers))
        taken = time.process_time()
        sizes = [size for _, size in replaying.run(lambda _, trace: len(trace_bytes(trace)))]
    ended = time.process_time()
    told = replaying.told
    if told.stalled or told.poison:
        raise ValueError(f"not whole: {told.stalled[:3]} {told.poison[:3]}")
    return {
        "count": told.records, "seconds": ended - begun, "taking": taken - begun,
        "traces": len(sizes), "trace_bytes": sum(sizes),
    }  # fmt: skip

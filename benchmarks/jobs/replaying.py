"""Replay in memory: hash, decode, chain, fold, compose."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from benchmarks.job import Gate
from benchmarks.jobs.decoding import quiet
from services.recommendations.trace import trace_bytes
from shared.intake import Arrival
from tools.cli.comparison import rebuilt_from
from tools.cli.history import History
from tools.simulate import records


async def replaying(gate: Gate, file: str, without_gc: bool = True) -> dict[str, Any]:
    """Replay every record of a file, as `throughline replay` does, to the compared bytes of every trace."""
    arrivals = [
        Arrival(record.topic, 0, record.position, record.key, record.value, tuple(record.headers))
        for record in records.read(Path(file))
    ]
    await gate.go()
    quiet(without_gc)
    begun = time.process_time()
    history = History()
    for arrival in arrivals:
        history.take(arrival)
    taken = time.process_time()
    rebuilt = rebuilt_from(history)
    size = sum(len(trace_bytes(trace)) for trace in rebuilt.traces.values())
    ended = time.process_time()
    if rebuilt.stalled or history.poison:
        raise ValueError(f"not whole: {rebuilt.stalled[:3]} {history.poison[:3]}")
    return {
        "count": len(arrivals), "seconds": ended - begun, "taking": taken - begun,
        "traces": len(rebuilt.traces), "trace_bytes": size,
    }  # fmt: skip

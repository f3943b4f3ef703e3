"""Replay in memory: hash, decode, chain, fold, compose."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from benchmarks.job import Gate
from benchmarks.jobs.decoding import quiet
from services.recommendations.trace import trace_bytes
from tools.replay.replayer import Replayer
from tools.simulate import records
from tools.simulate.log_keys import synthetic_trust


async def replaying(gate: Gate, file: str, without_gc: bool = True) -> dict[str, Any]:
    """Replay every record of a file, as `throughline replay` does, to the compared bytes of every trace."""
    await gate.go()
    quiet(without_gc)
    begun = time.process_time()
    with Replayer(synthetic_trust()) as replayer:
        for record in records.read(Path(file)):
            replayer.add_record(record.consumed())
        taken = time.process_time()
        sizes = [size for _, size in replayer.run(lambda _, trace: len(trace_bytes(trace)))]
    ended = time.process_time()
    report = replayer.report
    if report.stalled or report.poison:
        raise ValueError(f"not whole: {report.stalled[:3]} {report.poison[:3]}")
    return {
        "count": report.records, "seconds": ended - begun, "taking": taken - begun,
        "traces": len(sizes), "trace_bytes": sum(sizes),
    }  # fmt: skip

"""The ceiling of work in memory: decoding the same bytes, and nothing else."""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import Any

from benchmarks.job import Gate
from shared.events.catalogue import decode
from tools.simulate import records


async def decoding(gate: Gate, file: str, without_gc: bool = True) -> dict[str, Any]:
    """Decode every record of a file."""
    values = [record.value for record in records.read(Path(file))]
    await gate.go()
    quiet(without_gc)
    begun = time.process_time()
    for value in values:
        decode(value)
    return {"count": len(values), "seconds": time.process_time() - begun}


def quiet(without_gc: bool) -> None:
    """Collect garbage, and disable the collector if required, alike for a job and its ceiling."""
    gc.collect()
    if without_gc:
        gc.freeze()
        gc.disable()

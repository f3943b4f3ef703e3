"""Rebuilding every read model in place, from the journal."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.job import Gate
from benchmarks.jobs.reading import reading_of, settings_for
from shared.projection.rebuild import rebuild
from shared.runtime.process import tune_gc


async def rebuilding(gate: Gate, kafka: dict[str, Any], mongodb: str, database: str) -> dict[str, Any]:
    """Rebuild as `throughline rebuild` does."""
    reading = reading_of(settings_for(kafka, mongodb, database, "rebuild"))
    events = await reading.database.journal.count_documents({})
    await gate.go()
    tune_gc()
    begun = time.perf_counter()
    async for _ in rebuild(reading.projector):
        continue
    return {"count": events, "seconds": time.perf_counter() - begun}

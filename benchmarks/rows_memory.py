"""Rows of work in memory: replay against decoding."""

from __future__ import annotations

from pathlib import Path

from benchmarks.child import Answer, run
from benchmarks.servers import progress
from benchmarks.table import Row

REPEATS = 3


def rate(answer: Answer) -> float:
    """Return the events a second of an answer."""
    return float(answer["count"] / answer["seconds"])


def replay(file: Path, events: int) -> Row:
    """Measure a replay in memory: hash, decode, fold, compose."""
    progress(f"replay of {events:,} events in memory")
    works: list[Answer] = []
    ceilings: list[Answer] = []
    for _ in range(REPEATS):
        ceilings.append(run("decoding.decoding", file=str(file)))
        works.append(run("replaying.replaying", file=str(file)))
    traces, size = works[0]["traces"], works[0]["trace_bytes"]
    return Row(
        f"replay in memory, {events:,} events",
        tuple(map(rate, works)),
        "decoding",
        tuple(map(rate, ceilings)),
        wanted=0.5,
        peak_mb=max(work["peak_mb"] for work in works),
        notes=(
            f"{traces:,} traces of {size / max(1, traces):,.0f} bytes on average",
            "by processor time; the garbage collector is off in both",
        ),
    )

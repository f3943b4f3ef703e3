"""Rows of the audit commands: export and verification, against hashing and decoding the same bytes."""

from __future__ import annotations

from pathlib import Path

from benchmarks.child import Answer, run
from benchmarks.rows_memory import rate
from benchmarks.servers import progress
from benchmarks.table import Row

CEILING = "hashing and decoding"
MEMORY = "an export, a verification or a replay may hold 400 MB"


def audit(folder: Path, events: int, repeats: int) -> list[Row]:
    """Measure the export of four ledgers of so many events, and its verification with one process and with two."""
    progress(f"a history of {events:,} events, to be exported and verified")
    run("auditing.preparing", folder=str(folder), events=events)
    exported = run("auditing.exporting", folder=str(folder))
    ceilings: list[Answer] = []
    alone: list[Answer] = []
    shared: list[Answer] = []
    for _ in range(repeats):
        ceilings.append(run("auditing.reading", folder=str(folder)))
        alone.append(run("auditing.verifying", folder=str(folder), jobs=1))
        shared.append(run("auditing.verifying", folder=str(folder), jobs=2))
    return [
        *_replays(folder, events, repeats),
        Row(
            f"export, {events:,} events",
            (rate(exported),),
            CEILING,
            tuple(map(rate, ceilings)),
            peak_mb=exported["peak_mb"],
            notes=(f"{exported['traces']:,} traces composed; by processor time", MEMORY),
        ),
        Row(
            f"verify offline, {events:,} events",
            tuple(map(rate, alone)),
            CEILING,
            tuple(map(rate, ceilings)),
            wanted=0.5,
            peak_mb=max(answer["peak_mb"] for answer in alone),
            notes=("signatures, tree, tiles, chains, schemas, links; one process, by processor time", MEMORY),
        ),
        Row(
            f"verify offline, {events:,} events, two processes",
            tuple(map(rate, shared)),
            "one process",
            tuple(map(rate, alone)),
            peak_mb=max(answer["peak_mb"] for answer in shared),
            notes=("by processor time, as on two cores that are both free; memory of the process that leads",),
        ),
    ]


def _replays(folder: Path, events: int, repeats: int) -> list[Row]:
    """Measure the replay of the export with one process and with two, against decoding it."""
    ceilings: list[Answer] = []
    alone: list[Answer] = []
    shared: list[Answer] = []
    for _ in range(repeats):
        ceilings.append(run("auditing.decoding", folder=str(folder)))
        alone.append(run("auditing.replaying", folder=str(folder), jobs=1))
        shared.append(run("auditing.replaying", folder=str(folder), jobs=2))
    return [
        Row(
            f"replay offline, {events:,} events",
            tuple(map(rate, alone)),
            "reading and decoding",
            tuple(map(rate, ceilings)),
            wanted=0.5,
            peak_mb=max(answer["peak_mb"] for answer in alone),
            notes=(f"{alone[0]['traces']:,} traces and the roster; one process, by processor time", MEMORY),
        ),
        Row(
            f"replay offline, {events:,} events, two processes",
            tuple(map(rate, shared)),
            "one process",
            tuple(map(rate, alone)),
            peak_mb=max(answer["peak_mb"] for answer in shared),
            notes=("by processor time, as on two cores that are both free; memory of the process that leads",),
        ),
    ]

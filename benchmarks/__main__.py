"""`python -m benchmarks`: measure, and print one table."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import rows_memory, rows_peers, rows_reading, rows_waiting, rows_writing
from benchmarks.child import WorkFailed
from benchmarks.dataset import Dataset
from benchmarks.machine import circumstances
from benchmarks.servers import progress, servers
from benchmarks.table import Row, show, write
from tools.local.files import CHECKOUT
from tools.local.progress import CannotStart

WRITTEN = CHECKOUT / "docs/benchmarks.md"
PARTS = ("memory", "store", "relay", "http", "reading", "peers")
_COMMITS_IN_HEARD = 0.35


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    backlogs: tuple[int, ...]
    replay: int
    appends: int
    relayed: int
    commands_each: int
    watched: int
    repeats: int


def sizes(events: int, quick: bool) -> Sizes:
    """Return how much is measured for so many events at most."""
    if quick:
        return Sizes((10_000, 20_000), 20_000, 1_500, 3_000, 8, 200, 1)
    steps = (*(size for size in (10_000, 100_000, 1_000_000) if size < events), events)
    relayed = min(100_000, int(events * _COMMITS_IN_HEARD / 2))
    return Sizes(steps, min(events, 100_000), 4_000, relayed, 30, 400, 3)


def main() -> int:
    """Measure what is asked for."""
    asked = _asked()
    began = os.getloadavg()
    rows: list[Row] = []
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="throughline-bench-") as folder:
        for part in asked.parts:
            try:
                measured = measure(part, sizes(asked.events, asked.quick), Path(folder))
            except (CannotStart, WorkFailed, TimeoutError) as failure:
                failed.append(f"{part} was not measured: {failure}")
                continue
            rows += measured
            for row in measured:
                progress(" | ".join(row.cells()))
    told = circumstances(began)
    show(rows)
    print("\n".join([*told, *failed]))
    if asked.write and not failed:
        write(WRITTEN, rows, told)
        print(f"written to {WRITTEN.relative_to(CHECKOUT)}")
    return 1 if failed else 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="the largest backlog")
    parser.add_argument("--quick", action="store_true", help="10,000 and 20,000 events, once: some three minutes")
    parser.add_argument("--write", action="store_true", help=f"write the table to {WRITTEN.relative_to(CHECKOUT)}")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="only these")
    return parser.parse_args()


def measure(part: str, size: Sizes, folder: Path) -> list[Row]:
    """Measure one part."""
    dataset, largest = Dataset(folder), size.backlogs[-1]
    for events in size.backlogs:
        if not dataset.heard(events).exists():
            progress(f"making a history of {events:,} events")
            dataset.make(events)
    match part:
        case "memory":
            return [rows_memory.replay(dataset.heard(size.replay), size.replay)]
        case "store":
            with servers() as stack:
                return rows_writing.appends(stack, folder, dataset.commits(largest, 0, size.appends))
        case "relay":
            first, later = (dataset.commits(largest, start, size.relayed) for start in (0, size.relayed))
            with servers() as stack:
                return rows_writing.relay(stack, folder, first, later)
        case "http":
            with servers(("nominations", "meetings", "recommendations", "notifications")) as stack:
                waiting = rows_waiting.until_seen(stack, size.watched)
                return [rows_writing.over_http(stack, folder, size.commands_each), waiting]
        case "reading":
            return _reading(dataset, size)
        case _:
            return _peers(dataset, size)


def _reading(dataset: Dataset, size: Sizes) -> list[Row]:
    singles: list[Row] = []
    others: list[Row] = []
    for events in size.backlogs:
        with servers() as stack:
            backlog = rows_reading.Backlog(stack, dataset.heard(events), dataset.lineage(events), events)
            backlog.fill()
            singles.append(rows_reading.live(backlog, 1, size.repeats if events < 1_000_000 else 1))
            if events == size.replay:
                others.append(rows_reading.rebuild(backlog, min(2, size.repeats)))
            if events != size.backlogs[0]:
                others.append(rows_reading.live(backlog, 2, 1 if events >= 1_000_000 else size.repeats))
    return [*singles, *others, rows_reading.flat(singles, list(size.backlogs))]


def _peers(dataset: Dataset, size: Sizes) -> list[Row]:
    """Measure our own beside the peers, on the same servers."""
    events, repeats = size.replay, min(2, size.repeats)
    with servers() as stack:
        backlog = rows_reading.Backlog(stack, dataset.heard(events), dataset.lineage(events), events)
        backlog.fill()
        live, rebuild = rows_reading.live(backlog, 1, repeats), rows_reading.rebuild(backlog, repeats)
        return rows_peers.peers(backlog, live, rebuild, repeats)


if __name__ == "__main__":
    sys.exit(main())

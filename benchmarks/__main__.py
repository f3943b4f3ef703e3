"""`python -m benchmarks`: measure, and print one table."""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path

from benchmarks import (
    rows_audit,
    rows_console,
    rows_lists,
    rows_memory,
    rows_peers,
    rows_reading,
    rows_search,
    rows_start,
    rows_tracing,
    rows_waiting,
    rows_writing,
)
from benchmarks.dataset import Dataset
from benchmarks.machine import Started, machine
from benchmarks.results_file import ResultsFile
from benchmarks.servers import progress, servers
from benchmarks.table import Row, show, write
from shared.events.services import SERVICES
from tools.files import CHECKOUT

WRITTEN = CHECKOUT / "docs/benchmarks.md"
RESULTS = CHECKOUT / "build/bench.json"
PARTS = (
    "start",
    "memory",
    "audit",
    "store",
    "relay",
    "http",
    "lists",
    "search",
    "console",
    "tracing",
    "reading",
    "peers",
)
_COMMITS_PER_EVENT = 0.35


@dataclass(frozen=True)
class Sizes:
    """The numbers of events, commands and turns of one run."""

    backlogs: tuple[int, ...]
    replay: int
    appends: int
    relayed: int
    commands_each: int
    watched: int
    imported: int
    repeats: int
    pages: int


def sizes(events: int, quick: bool) -> Sizes:
    """Return the sizes of a run whose largest backlog has so many events."""
    if quick:
        return Sizes((10_000, 20_000), 20_000, 1_500, 3_000, 8, 200, 30, 1, 8)
    steps = (*(size for size in (10_000, 100_000, 1_000_000) if size < events), events)
    relayed = min(100_000, int(events * _COMMITS_PER_EVENT / 2))
    return Sizes(steps, min(events, 100_000), 4_000, relayed, 30, 400, 70, 3, 40)


def main() -> int:
    """Measure the parts of the command line, and print the table."""
    arguments = _arguments()
    size = sizes(arguments.events, arguments.quick)
    results = ResultsFile(
        arguments.results, {"backlogs": list(size.backlogs), "relayed": size.relayed}, resume=arguments.resume
    )
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="throughline-bench-") as folder:
        for part in arguments.parts:
            if arguments.resume and results.has(part):
                progress(f"{part} was measured before")
                continue
            progress(f"measuring {part}")
            started = Started()
            try:
                rows = measure(part, size, Path(folder))
            except Exception as failure:  # noqa: BLE001 - the other parts are still measured
                traceback.print_exc()
                failed.append(f"{part} was not measured: {type(failure).__name__}: {failure}")
                continue
            results.put(part, rows, started.circumstances())
            for row in rows:
                progress(" | ".join(row.cells()))
    rows, circumstances = results.rows(PARTS), [*machine(), *results.circumstances(PARTS)]
    show(rows)
    print("\n".join([*circumstances, *failed]))
    if arguments.write and rows:
        write(WRITTEN, rows, [*circumstances, *failed])
        print(f"written to {WRITTEN.relative_to(CHECKOUT)}")
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="the largest backlog")
    parser.add_argument("--quick", action="store_true", help="10,000 and 20,000 events, once: some three minutes")
    parser.add_argument("--write", action="store_true", help=f"write the table to {WRITTEN.relative_to(CHECKOUT)}")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="only these")
    parser.add_argument("--resume", action="store_true", help="reuse the parts that an earlier run measured")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FILE", help="the file of measured parts")
    return parser.parse_args()


def measure(part: str, size: Sizes, folder: Path) -> list[Row]:
    """Measure one part."""
    if part == "audit":
        return rows_audit.audit(folder, size.backlogs[-1], size.repeats)
    dataset, largest = Dataset(folder), size.backlogs[-1]
    match part:
        case "start":
            dataset.make(size.backlogs[0])
            return rows_start.start(dataset.consumed(size.backlogs[0]), folder)
        case "memory":
            dataset.make(size.replay)
            return [rows_memory.replay(dataset.consumed(size.replay), size.replay)]
        case "store":
            dataset.make(largest)
            with servers() as stack:
                return rows_writing.appends(stack, folder, dataset.commits(largest, 0, size.appends))
        case "relay":
            dataset.make(largest)
            first, later = (dataset.commits(largest, start, size.relayed) for start in (0, size.relayed))
            with servers() as stack:
                return rows_writing.relay(stack, folder, first, later)
        case "http":
            with servers(SERVICES) as stack:
                waiting = rows_waiting.until_traced(stack, size.watched)
                return [rows_writing.over_http(stack, folder, size.commands_each), waiting]
        case "lists":
            dataset.make(size.backlogs[0])
            with servers(SERVICES) as stack:
                listed = rows_lists.lists(stack, dataset.consumed(size.backlogs[0]))
                return [listed, rows_lists.imported(stack, folder, size.imported)]
        case "search":
            with servers() as stack:
                return rows_search.search(stack)
        case "console":
            with servers(SERVICES) as stack:
                return rows_console.console(stack, size.pages)
        case "tracing":
            return _tracing(dataset, size)
        case "reading":
            return _reading(dataset, size)
        case _:
            return _peers(dataset, size)


def _tracing(dataset: Dataset, size: Sizes) -> list[Row]:
    events, repeats = min(size.replay, 100_000), 2 * size.repeats + 1
    dataset.make(events)
    with servers() as stack:
        relayed = rows_tracing.relay(
            stack, dataset.commits(events, 0, min(2 * size.relayed, int(events * _COMMITS_PER_EVENT))), repeats
        )
    with servers() as stack:
        backlog = rows_reading.Backlog(stack, dataset.consumed(events), dataset.lineage(events), events)
        read = rows_tracing.reading(backlog, repeats)
    with servers(SERVICES) as stack:
        return [relayed, read, rows_tracing.over_http(stack, size.commands_each, repeats)]


def _reading(dataset: Dataset, size: Sizes) -> list[Row]:
    singles: list[Row] = []
    others: list[Row] = []
    for events in size.backlogs:
        dataset.make(events)
        with servers() as stack:
            backlog = rows_reading.Backlog(stack, dataset.consumed(events), dataset.lineage(events), events)
            backlog.fill()
            singles.append(rows_reading.live(backlog, 1, size.repeats if events < 1_000_000 else 1))
            if events == size.replay:
                others.append(rows_reading.rebuild(backlog, min(2, size.repeats)))
            if events != size.backlogs[0]:
                others.append(rows_reading.live(backlog, 2, 1 if events >= 1_000_000 else size.repeats))
    return [*singles, *others, rows_reading.flat(singles, list(size.backlogs))]


def _peers(dataset: Dataset, size: Sizes) -> list[Row]:
    """Measure our own rows and those of the peers, on the same servers."""
    events, repeats = size.replay, min(2, size.repeats)
    dataset.make(events)
    with servers() as stack:
        backlog = rows_reading.Backlog(stack, dataset.consumed(events), dataset.lineage(events), events)
        backlog.fill()
        live, rebuild = rows_reading.live(backlog, 1, repeats), rows_reading.rebuild(backlog, repeats)
        return rows_peers.peers(backlog, live, rebuild, repeats)


if __name__ == "__main__":
    sys.exit(main())

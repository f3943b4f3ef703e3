"""Rows of lists and of an import: pages of what a list shows, and rows sent concurrently."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.rows_start import median_trace
from benchmarks.servers import admin, cpu_seconds, progress
from benchmarks.table import Row
from shared.events.services import SERVICES
from shared.projection.natural_order import natural_order
from tools.client.connection import Connection
from tools.client.services import Services
from tools.deployment.grants import database as database_of
from tools.local.stack import Stack
from tools.record.checking import CheckedRecord, check
from tools.record.loading import CONCURRENT_ROWS, Load

SERVICE = "recommendations"
RECOMMENDATIONS = 2_000
GUIDE_MS = 300
TURNS = 5
REFERRED = 5
FASTER = 4.0


def lists(stack: Stack, file: Path) -> Row:
    """Measure the lists of many recommendations, whose traces have the median size of a history."""
    store_copies(stack, median_trace(file))
    with Services(Connection(stack.home, quiet=True), "auditor") as services:
        before = _processor_seconds(stack)
        traces = _milliseconds(lambda: _listed(services, "/traces", view="row"))
        cost = _cost(before, _processor_seconds(stack), TURNS + 1)
        coverage = _milliseconds(lambda: _listed(services, "/coverage", by="recommendation"))
        whole = _milliseconds(lambda: _listed(services, "/traces", view="trace"))
    return Row(
        f"list of {RECOMMENDATIONS:,} recommendations, in pages of 500",
        says=f"{traces:.0f} ms (coverage: {coverage:.0f} ms)",
        notes=(
            f"the guide is {GUIDE_MS} ms; whole traces of the same, which a list does not read: {whole:.0f} ms",
            f"processor time: {cost}",
        ),
    )


def store_copies(stack: Stack, trace: dict[str, Any]) -> None:
    """Store copies of a trace, each of a recommendation of its own."""
    with admin(stack) as client:
        client[database_of(SERVICE)]["traces"].insert_many(
            [_numbered(trace, number) for number in range(1, RECOMMENDATIONS + 1)]
        )


def _numbered(trace: dict[str, Any], number: int) -> dict[str, Any]:
    reference = f"SYNL/2031/R{number}"
    named = {**trace["recommendation"], "reference": reference}
    of_the_store = {"_id": reference, "order": natural_order(reference), "revision": 1}
    return {**trace, **of_the_store, "recommendation": named}


def _listed(services: Services, path: str, **query: str) -> None:
    number = sum(1 for _ in services.pages(SERVICE, path, **query))
    if number != RECOMMENDATIONS:
        raise ValueError(f"{path} lists {number} of {RECOMMENDATIONS} recommendations")


def _milliseconds(listing: Callable[[], None]) -> float:
    listing()
    times = []
    for _ in range(TURNS):
        begun = time.perf_counter()
        listing()
        times.append(1_000 * (time.perf_counter() - begun))
    return statistics.median(times)


def _processor_seconds(stack: Stack) -> dict[str, float]:
    """Return the processor time used by the services, the servers and this process."""
    used = cpu_seconds(stack)
    services = sum(used[service] for service in SERVICES)
    return {"services": services, "MongoDB": used["mongodb"], "Kafka": used["kafka"], "the client": time.process_time()}


def _cost(before: dict[str, float], after: dict[str, float], count: int) -> str:
    """Say the processor time of each of so many things; other work on the machine changes it little."""
    return ", ".join(f"{1_000 * (after[name] - before[name]) / count:.0f} ms in {name}" for name in before)


def imported(stack: Stack, folder: Path, recommendations: int) -> Row:
    """Measure an import whose rows are sent concurrently, against one row at a time."""
    progress(f"import of two records of {recommendations} recommendations, one at a time and {CONCURRENT_ROWS} at once")
    single, cost_of_single = _loaded(stack, _record(folder, "synthetic-single", "SYNA", recommendations), 1)
    several, cost = _loaded(stack, _record(folder, "synthetic-several", "SYNB", recommendations), CONCURRENT_ROWS)
    return Row(
        f"import of a record, {CONCURRENT_ROWS} rows at once",
        (several,),
        "one row at a time",
        (single,),
        wanted=FASTER,
        notes=(f"processor time of a row: {cost}; one at a time: {cost_of_single}",),
    )


def _loaded(stack: Stack, record: CheckedRecord, workers: int) -> tuple[float, str]:
    """Load a record; return the rows a second, and the processor time of each."""
    before, begun = _processor_seconds(stack), time.perf_counter()
    with Services(Connection(stack.home, quiet=True), "secretariat") as services:
        report = Load(record, services, workers=workers).run()
    if len(report.outcomes) != len(record.rows) or report.not_loaded:
        raise ValueError(f"not loaded: {report.not_loaded[:3]}")
    seconds = time.perf_counter() - begun
    return len(record.rows) / seconds, _cost(before, _processor_seconds(stack), len(record.rows))


def _record(folder: Path, name: str, acronym: str, recommendations: int) -> CheckedRecord:
    """Write and check a synthetic record: 7 rows for each recommendation, and what they refer to."""
    session = str(sum(name.encode()) % 900)
    numbers = range(REFERRED)
    content = {
        "record": name,
        "instruments": [
            {"id": f"{name}-{n}", "cite": f"{name} resolution {n}", "body": "SYN", "title": "Synthetic"}
            for n in numbers
        ],
        "provisions": [
            {"id": f"{name}-{n}/ask", "instrument": f"{name}-{n}", "summary": "Synthetic ask"} for n in numbers
        ],
        "committee_sessions": [{"session": session, "from": "2021-03-01", "to": "2021-03-03"}],
        "meetings": [
            {"id": f"{name}-{n}", "title": "Synthetic meeting", "kind": "forum", "starts_at": "2021-01"}
            for n in numbers
        ],
        "recommendations": [
            {
                "reference": f"{acronym}/2021/R{n + 1}",
                "title": f"Synthetic recommendation {n}",
                "mandates": [{"provision": f"{name}-{(n + m) % REFERRED}/ask"} for m in range(2)],
                "adopted": {"meeting": f"{name}-{n % REFERRED}"},
                "transmitted": {"to_session": session, "date": "2021-02-01"},
                "disposition": {"session": session, "outcome": "noted", "date": "2021-03-02"},
                "follow_up": [{"date": "2022", "progress": "implemented", "evidence": {"text": "Synthetic evidence"}}],
            }
            for n in range(recommendations)
        ],
    }  # fmt: skip
    file = folder / f"{name}.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return check(file)

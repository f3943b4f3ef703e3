"""Rows of the console: the time of each main page on a large record, and its bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.child import Answer, run
from benchmarks.jobs.browsing import READERS
from benchmarks.jobs.searching import CHARACTERS, INSTRUMENTS, PROVISIONS, RECOMMENDATIONS, vocabulary
from benchmarks.rows_lists import store_copies
from benchmarks.rows_writing import wait_until_idle
from benchmarks.servers import admin, progress
from benchmarks.table import Row
from services.recommendations import commands
from shared.events.services import SERVICES
from tools.client import local_console
from tools.client.tokens import mint
from tools.deployment.grants import database as database_of
from tools.local.stack import Stack
from tools.simulate.chance import DAY, day
from tools.simulate.commits import SimulatedCommit
from tools.simulate.history import MOST_GROUPS, commits_of
from tools.simulate.store_loader import store
from tools.simulate.world import World

SEED = 2026
SERVICE = "recommendations"
NOMINATIONS = 500
LARGE = "syn-large"
GUIDE_MS = 150
PATIENCE = 600.0


def console(stack: Stack, turns: int) -> list[Row]:
    """Measure each main page of the console on a large record."""
    pages = _fill(stack)
    stack.start_console()
    environment = local_console.environment(stack.home)
    settings = {
        "address": local_console.address(stack.home), "services": stack.urls, "issuer": "http://127.0.0.1:1",
        "keys": environment["THROUGHLINE_CONSOLE_KEYS"],
    }  # fmt: skip
    token = mint(stack.home, role="secretariat", subject="synthetic-bench")
    progress(f"{len(pages)} pages of the console, each {turns} times by one reader and by {READERS} at once")
    pid = stack.pids()["console"]
    measured = run("browsing.browsing", settings=settings, token=token, pid=pid, pages=pages, turns=turns)
    return [_row(name, measured[name]) for name in pages]


def _fill(stack: Stack) -> dict[str, str]:
    """Store a large record, and return the addresses of the main pages, by name."""
    progress(
        f"storing {INSTRUMENTS:,} instruments of {PROVISIONS} provisions, and a history of {NOMINATIONS} nominations"
    )
    for service in SERVICES:  # while it is stored, no policy may act on half of it
        stack.stop_one(service)
    run("searching.storing", mongodb=stack.mongodb_admin_uri, database=database_of(SERVICE), terms=True)
    world = World(SEED, MOST_GROUPS)
    with admin(stack) as client:
        databases = {service: client[database_of(service)] for service in SERVICES}
        store(_history(world), databases, lambda _: None)
    for service in SERVICES:
        stack.start_one(service)
    for service in SERVICES:
        wait_until_idle(stack, PATIENCE, service)
    wait_until_idle(stack, PATIENCE, "meetings", reader=SERVICE)
    trace = _median_trace(stack)
    store_copies(stack, trace)
    return _pages(trace["recommendation"]["reference"], day(world.now - 90 * DAY))


def _history(world: World) -> Iterator[SimulatedCommit]:
    """Yield a history until it holds so many nominations, then an instrument of as many provisions as the others."""
    nominations: set[str] = set()
    for commit in commits_of(world):
        yield commit
        if commit.stream.startswith("nomination/"):
            nominations.add(commit.stream)
        if len(nominations) == NOMINATIONS:
            break
    stream = f"instrument/{LARGE}"
    registration = commands.RegisterInstrument(
        instrument=LARGE, cite="Synthetic resolution 1", body="SYN", title="Synthetic resolution of many provisions"
    )
    yield world.execute(stream, registration)
    for number in range(1, PROVISIONS + 1):
        summary = ("Synthetic provision, which asks member States to share what they measure. " * 5)[:CHARACTERS]
        provision = commands.RegisterProvision(provision=f"{LARGE}/p{number}", paragraph=str(number), summary=summary)
        yield world.execute(stream, provision)


def _median_trace(stack: Stack) -> dict[str, Any]:
    with admin(stack) as client:
        traces = sorted(client[database_of(SERVICE)].traces.find(), key=lambda trace: len(str(trace)))
    return traces[len(traces) // 2]


def _pages(reference: str, on: str) -> dict[str, str]:
    words = vocabulary()
    return {
        "with nothing of a service": "/preferences",
        "today": "/",
        "nominations": "/nominations",
        "group": f"/group?on={on}",
        "meetings": "/meetings",
        "instruments": "/instruments",
        f"an instrument of {PROVISIONS} provisions": f"/instruments/{LARGE}",
        "recommendations": "/recommendations",
        "a recommendation": f"/recommendations/{reference}",
        "a trace": f"/traces/{reference}",
        "coverage": "/coverage",
        "search, a common word": f"/search?q={words[0]}+{words[0]}",
        "search, a rare word": f"/search?q={words[6_000]}",
        "audit": "/audit",
        "form: cite a mandate": f"/recommendations/{reference}/do/cite",
    }


def _row(name: str, page: Answer) -> Row:
    single, several, ceiling = page["single"], page["several"], page["ceiling"]
    says = f"p50 {_at(single, 0.5):.0f} ms, p95 {_at(single, 0.95):.0f} ms"
    note = (
        f"{READERS} at once: p50 {_at(several, 0.5):.0f} ms, p95 {_at(several, 0.95):.0f} ms; "
        f"processor time of the console {page['processor_ms']:.0f} ms; "
        f"{page['bytes'] / 1_000:,.1f} KB, {page['gzipped'] / 1_000:,.1f} KB by gzip"
    )
    return Row(
        f"console: {name}",
        tuple(1_000 / each for each in single),
        f"its {page['requests']} answers of the services, without the console" if page["requests"] else "",
        tuple(1_000 / each for each in ceiling) if page["requests"] else (),
        says=says,
        notes=(note, f"the guide is {GUIDE_MS} ms (p95); {RECOMMENDATIONS:,} recommendations")
        if name == "today"
        else (note,),
    )


def _at(times: Sequence[float], part: float) -> float:
    return times[min(len(times) - 1, int(part * len(times)))]

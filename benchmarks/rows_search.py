"""Rows of search: the time of a page of matches, and what the terms of search cost in writing and bytes."""

from __future__ import annotations

from benchmarks.child import Answer, run
from benchmarks.jobs.searching import CHARACTERS, INSTRUMENTS, PAGE, PROVISIONS, RECOMMENDATIONS
from benchmarks.servers import cpu_seconds, database, progress
from benchmarks.table import Row
from tools.local.stack import Stack


def search(stack: Stack) -> list[Row]:
    """Measure the search in many provisions, and the storing of their states with its terms and without."""
    provisions = INSTRUMENTS * PROVISIONS
    progress(f"storing {provisions:,} provisions of {CHARACTERS} characters, without the terms of search and with them")
    with database(stack) as name:
        plain = _stored(stack, name, terms=False)
    with database(stack) as name:
        stored = _stored(stack, name, terms=True)
        answer = run("searching.searching", mongodb=stack.mongodb_admin_uri, database=name)
    ceiling, times = answer["ceiling"], answer["times"]
    slowest = max(times, key=lambda each: times[each])
    shown = ", ".join(f"{each} {time:.0f} ms ({answer['matches'][each]})" for each, time in times.items())
    return [
        Row(
            f"search in {provisions:,} provisions and {RECOMMENDATIONS:,} recommendations, a page of {PAGE}",
            says=f"slowest: {times[slowest]:.0f} ms, {slowest}",
            notes=(
                f"{shown}; in brackets, the matches of the page",
                f"reading {PAGE} states by id: {ceiling:.0f} ms; ratio of the slowest: {times[slowest] / ceiling:.0f}",
            ),
        ),
        _cost(plain, stored),
    ]


def _stored(stack: Stack, name: str, *, terms: bool) -> Answer:
    before = cpu_seconds(stack)["mongodb"]
    answer = run("searching.storing", mongodb=stack.mongodb_admin_uri, database=name, terms=terms)
    return answer | {"mongodb": cpu_seconds(stack)["mongodb"] - before}


def _cost(plain: Answer, stored: Answer) -> Row:
    """Return the row of what the terms cost, by the event whose text they are of."""
    here, mongodb = (1_000_000 * (stored[name] - plain[name]) / stored["count"] for name in ("cpu", "mongodb"))
    size, more = plain["bytes"] / plain["states"], (stored["bytes"] - plain["bytes"]) / stored["states"]
    return Row(
        "the terms of search, for an event with a text to search in",
        says=f"{here:.0f} µs here and {mongodb:.0f} µs in MongoDB",
        notes=(
            "of processor time",
            f"a state has {size:,.0f} bytes, and {more:,.0f} more for search; the index has {stored['index'] >> 20} MB",
        ),
    )

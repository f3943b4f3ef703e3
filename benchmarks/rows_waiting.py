"""The row of latency: from a command to the trace that depends on it."""

from __future__ import annotations

import statistics

from benchmarks.child import run
from benchmarks.rows_writing import SERVICE, wait_until_idle
from benchmarks.servers import progress
from benchmarks.table import Row
from tools.client.tokens import mint
from tools.deployment.grants import database as database_of
from tools.local.stack import Stack

RATE = 20.0


def until_traced(stack: Stack, count: int) -> Row:
    """Measure the latency of commands, sent at a steady rate, until the stored trace depends on them."""
    wait_until_idle(stack)
    progress(f"{count} commands at {RATE:.0f} a second, until their traces are stored")
    answer = run(
        "requesting.until_traced",
        port=int(stack.urls[SERVICE].rpartition(":")[2]),
        token=mint(stack.home, role="secretariat", subject="synthetic-bench"),
        mongodb=stack.mongodb_admin_uri,
        database=database_of(SERVICE),
        prefix="SYNW",
        rate=RATE,
        count=count,
    )
    p50, p99 = (_percentile(answer["traced"], share) for share in (0.50, 0.99))
    answered = _percentile(answer["answered"], 0.50)
    return Row(
        f"command to visible trace at {RATE:.0f} commands/s",
        says=f"p50 {p50:.0f} ms, p99 {p99:.0f} ms",
        notes=(f"{count} commands; the command itself was answered after {answered:.0f} ms (p50)",),
    )


def _percentile(seconds: list[float], share: float) -> float:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return 1_000 * cuts[round(share * 100) - 1]

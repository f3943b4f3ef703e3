"""Rows of tracing: the same work with tracing on, at the default share of 5 %, beside tracing off, in turns."""

from __future__ import annotations

import os
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest.mock import patch

from benchmarks.child import Answer, run
from benchmarks.dataset import Document
from benchmarks.rows_memory import rate
from benchmarks.rows_reading import Backlog
from benchmarks.rows_writing import SERVICE, insert, wait_until_idle
from benchmarks.servers import database, processor_seconds, progress
from benchmarks.table import Row
from tools.client.tokens import mint
from tools.local.stack import Stack

SAMPLED_ONE_IN = 20
"""The share of commits, and of records, that carry the context of a sampled trace: the default of 5 %."""
_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
Answers = dict[bool, list[Answer]]


class _Discarding(BaseHTTPRequestHandler):
    """A collector that reads what it is sent, and drops it."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@contextmanager
def _collector() -> Iterator[str]:
    """Yield the address of a collector in this process."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Discarding) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def _tracing(address: str, on: bool) -> Iterator[None]:
    """Let processes that begin here trace, or not."""
    with patch.dict(os.environ, {_ENDPOINT: address if on else "", "NO_PROXY": "127.0.0.1"}):
        yield


def relay(stack: Stack, commits: list[Document], repeats: int) -> Row:
    """Measure the relay catching up with parts of a history, one after another: a topic belongs to one ledger."""
    for number in range(0, len(commits), SAMPLED_ONE_IN):
        commits[number]["trace"] = f"00-{number + 1:032x}-{number + 1:016x}-01"
    answers: Answers = {False: [], True: []}
    size, until = len(commits) // (2 * repeats), 0
    parts = [commits[start : start + size] for start in range(0, 2 * repeats * size, size)]
    with _collector() as address, database(stack) as name:
        to = {"kafka": stack.kafka_admin.settings(), "mongodb": stack.mongodb_admin_uri, "database": name}
        for part, on in zip(parts, _turns(repeats), strict=True):
            progress(f"the relay catches up {size:,} commits, tracing {_word(on)}")
            insert(stack, name, part)
            until += sum(len(commit["events"]) for commit in part)
            with _tracing(address, on):
                answers[on].append(run("relaying.relaying", until=until, **to))
    return _row(f"relay catching up {size:,} commits, tracing on", answers)


def reading(backlog: Backlog, repeats: int) -> Row:
    """Measure the reading of a backlog, of which one event in twenty is sampled."""
    answers: Answers = {False: [], True: []}
    backlog.fill(sampled_one_in=SAMPLED_ONE_IN)
    with _collector() as address:
        for on in _turns(repeats):
            progress(f"{backlog.events:,} events into traces, tracing {_word(on)}")
            with _tracing(address, on), database(backlog.stack) as name:
                answer = backlog.read("projecting.projecting", 1, name)
            answers[on].append(answer | {"cpu": answer["cpu"]["here"]})
    return _row(f"backlog of {backlog.events:,} into traces, tracing on", answers)


def over_http(stack: Stack, each: int, repeats: int) -> Row:
    """Measure appends over HTTP to a service that traces, and that does not."""
    token = mint(stack.home, role="secretariat", subject="synthetic-bench")
    port = int(stack.urls[SERVICE].rpartition(":")[2])
    answers: Answers = {False: [], True: []}
    with _collector() as address:
        for turn, on in enumerate(_turns(repeats)):
            progress(f"{64 * each:,} commands over HTTP, tracing {_word(on)}")
            stack.stop_one(SERVICE)
            with _tracing(address, on):
                stack.start_one(SERVICE)
            pid, prefix = stack.pids()[SERVICE], f"SYN{'ABCDEFGHIJKLMNOPQRST'[turn]}"
            before = processor_seconds(pid)
            answer = run("requesting.concurrent", port=port, token=token, prefix=prefix, each=each)
            wait_until_idle(stack)
            answers[on].append(answer | {"cpu": processor_seconds(pid) - before})
    return _row("append over HTTP, 64 concurrent, tracing on", answers)


def _turns(repeats: int) -> list[bool]:
    """Return on and off as often as each is repeated; neither is always the first of a pair."""
    return [on for turn in range(repeats) for on in ((False, True) if turn % 2 else (True, False))]


def _word(on: bool) -> str:
    return "on" if on else "off"


def _row(work: str, answers: Answers) -> Row:
    costs = {on: statistics.median(answer["cpu"] / answer["count"] for answer in answers[on]) for on in answers}
    says = f"processor time of each: {_microseconds(costs[True])} on, {_microseconds(costs[False])} off"
    return Row(
        work,
        tuple(map(rate, answers[True])),
        "the same, tracing off",
        tuple(map(rate, answers[False])),
        peak_mb=max((answer["peak_mb"] for answer in answers[True] if "peak_mb" in answer), default=None),
        notes=(f"{says}: {costs[True] / costs[False]:.2f}; 5 % of all sampled",),
    )


def _microseconds(seconds: float) -> str:
    return f"{seconds * 1_000_000:,.0f} µs"

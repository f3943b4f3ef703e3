"""Rows of the peers: the same history, on the same machine, in the same run."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.child import Answer, JobFailed
from benchmarks.peers.environment import HERE, postgres, python_of
from benchmarks.rows_memory import rate
from benchmarks.rows_reading import Backlog
from benchmarks.servers import admin, database, progress
from benchmarks.table import Row

PATIENCE_SECONDS = 900
LIGHTER = "their fold checks no schema, hash or chain, keeps no journal and composes no provenance (benchmarks/peers)"


def peers(backlog: Backlog, live: Row, rebuild: Row, repeats: int) -> list[Row]:
    """Measure the peers: live reading in parts of Quix Streams, the rebuild in parts of pyeventsourcing."""
    quix: list[Answer] = []
    stored: list[Answer] = []
    for turn in range(repeats):
        progress(f"Quix Streams reads {backlog.events:,} events, {turn + 1} of {repeats}")
        quix.append(_quix(backlog))
        progress(f"pyeventsourcing rebuilds {backlog.events:,} events, {turn + 1} of {repeats}")
        stored.append(_pyeventsourcing(backlog))
    return [
        _beside(live, "Quix Streams with its MongoDB sink", quix),
        _beside(rebuild, "pyeventsourcing on PostgreSQL 15", stored),
    ]


def _beside(own: Row, peer: str, answers: list[Answer]) -> Row:
    documents = answers[0]["documents"]
    return Row(
        f"{own.work}, beside a peer", own.figures, peer, tuple(map(rate, answers)), 1.0, own.peak_mb,
        notes=(f"both make {documents:,} documents; {LIGHTER}",),
    )  # fmt: skip


def _quix(backlog: Backlog) -> Answer:
    server, kafka = urlsplit(backlog.stack.mongodb_admin_uri), backlog.stack.kafka_admin
    with database(backlog.stack) as name:
        at_kafka = [kafka.bootstrap, kafka.user or "", kafka.password.get_secret_value()]
        at_mongodb = [server.hostname, server.port, server.username, server.password, name]
        answer = _run("quixstreams", "consume.py", [*at_kafka, *at_mongodb, backlog.events])
        with admin(backlog.stack) as client:
            if (written := client[name].traces.count_documents({})) != answer["documents"]:
                raise JobFailed(f"Quix Streams wrote {written} of {answer['documents']} documents")
    return answer


def _pyeventsourcing(backlog: Backlog) -> Answer:
    return _run("pyeventsourcing", "rebuild.py", [backlog.file, postgres()])


def _run(peer: str, script: str, arguments: Sequence[str | int | Path | None]) -> Answer:
    command = [str(python_of(peer)), str(HERE / peer / script), *map(str, arguments)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        raise JobFailed(f"{peer} had not ended after {PATIENCE_SECONDS} s") from None
    if done.returncode != 0:
        raise JobFailed(f"{peer} failed:\n{done.stderr[-3_000:]}")
    answer: Answer = json.loads(done.stdout.splitlines()[-1])
    return answer

"""Rows of writing: appending through the store and over HTTP, and the relay catching up."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from benchmarks.child import Answer, run
from benchmarks.dataset import Document, as_records
from benchmarks.jobs.appending import write
from benchmarks.rows_memory import rate
from benchmarks.servers import admin, database, progress, topic
from benchmarks.table import Row
from shared.store.event_store import INDEXES
from tools.client.tokens import mint
from tools.deployment.grants import database as database_of
from tools.local.stack import Stack
from tools.simulate import records

SERVICE = "recommendations"
BARE = "bare insert, majority and journalled"
REPEATS = 3
_EVENTS_STORED = [{"$group": {"_id": 0, "n": {"$sum": {"$size": "$events"}}}}]


def appends(stack: Stack, folder: Path, commits: list[Document]) -> list[Row]:
    """Measure appends through the store, 64 concurrent, with a known head and with the read that returns it."""
    file = write(folder / "appended.bson", commits)
    bares: list[Answer] = []
    works: dict[bool, list[Answer]] = {False: [], True: []}
    for turn in range(REPEATS):
        progress(f"append of {len(commits):,} commits through the store, {turn + 1} of {REPEATS}")
        bares.append(_in_a_database(stack, "appending.bare", file=str(file)))
        for reading, answers in works.items():
            answers.append(_in_a_database(stack, "appending.stored", file=str(file), reading=reading))
    names = {
        False: "append through the store, 64 concurrent",
        True: "read, then append through the store, 64 concurrent",
    }
    return [
        Row(
            names[reading],
            tuple(map(rate, answers)),
            BARE,
            tuple(map(rate, bares)),
            None if reading else 0.7,
            max(answer["peak_mb"] for answer in answers),
        )
        for reading, answers in works.items()
    ]


def _in_a_database(stack: Stack, job: str, **arguments: Any) -> Answer:
    with database(stack) as name:
        return run(job, mongodb=stack.mongodb_admin_uri, database=name, **arguments)


def over_http(stack: Stack, folder: Path, each: int) -> Row:
    """Measure appends over HTTP, 64 concurrent, to a service that relays and reads meanwhile."""
    token = mint(stack.home, role="secretariat", subject="synthetic-bench")
    port = int(stack.urls[SERVICE].rpartition(":")[2])
    works: list[Answer] = []
    bares: list[Answer] = []
    for turn in range(REPEATS):
        progress(f"{64 * each:,} commands over HTTP, {turn + 1} of {REPEATS}")
        prefix = f"SYN{'ABC'[turn]}"
        works.append(run("requesting.concurrent", port=port, token=token, prefix=prefix, each=each))
        wait_until_idle(stack)
        file = folder / f"http-{turn}.bson"
        with admin(stack) as client:
            commits = client[database_of(SERVICE)].commits.find({"_id.s": {"$regex": f"^recommendation/{prefix}/"}})
            write(file, list(commits))
        bares.append(_in_a_database(stack, "appending.bare", file=str(file)))
    return Row(
        "append over HTTP, 64 concurrent",
        tuple(map(rate, works)),
        BARE,
        tuple(map(rate, bares)),
        wanted=0.4,
        peak_mb=peak_of(stack.pids()[SERVICE]),
        notes=("one process, which relays, reads and composes at the same time; its client runs beside it",),
    )


def peak_of(pid: int) -> float:
    """Return the peak memory of a process, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def wait_until_idle(stack: Stack, patience: float = 120.0, service: str = SERVICE, reader: str | None = None) -> None:
    """Wait until all stored events of a service are relayed, and read by it or by another. Raises TimeoutError."""
    with admin(stack) as client:
        own, reading = client[database_of(service)], client[database_of(reader or service)]
        until = time.monotonic() + patience
        while True:
            last = next(iter(own.ledger.find().sort("_id", -1).limit(1)), None)
            end = last["_id"] + len(last["entries"]) if last else 0
            stored = sum(row["n"] for row in own.commits.aggregate(_EVENTS_STORED))
            read = sum(row["next"] for row in reading.progress.find({"_id": {"$regex": f"^throughline.{service}/"}}))
            if end == stored == read:
                return
            if time.monotonic() > until:
                raise TimeoutError(f"{service}: {stored} stored, {end} relayed, {read} read")
            time.sleep(0.2)


def relay(stack: Stack, folder: Path, first: list[Document], later: list[Document]) -> list[Row]:
    """Measure the relay catching up: at its first start, from heads, and after it was down, from the change stream."""
    file = folder / "relayed.records"
    ends = records.write(file, as_records(first)), sum(len(commit["events"]) for commit in later)
    bares, answers = [_produce(stack, file)], []
    with database(stack) as name:
        to = {"kafka": stack.kafka_admin.settings(), "mongodb": stack.mongodb_admin_uri, "database": name}
        for commits, until, says in ((first, ends[0], "at its first start"), (later, sum(ends), "after it was down")):
            progress(f"the relay catches up {len(commits):,} commits {says}")
            insert(stack, name, commits)
            answers.append((says, len(commits), run("relaying.relaying", until=until, **to)))
            bares.append(_produce(stack, file))
    return [
        Row(
            f"relay catching up {count:,} commits {says}",
            (rate(answer),),
            "bare idempotent producer",
            tuple(map(rate, bares)),
            0.3,
            answer["peak_mb"],
        )
        for says, count, answer in reversed(answers)
    ]


def insert(stack: Stack, name: str, documents: list[Document]) -> None:
    """Store commits in a database."""
    with admin(stack) as client:
        commits = client[name].commits
        commits.create_indexes(INDEXES["commits"])
        for start in range(0, len(documents), 1_000):
            commits.insert_many(documents[start : start + 1_000])


def _produce(stack: Stack, file: Path) -> Answer:
    return run("relaying.producing", kafka=stack.kafka_admin.settings(), file=str(file), topic=topic(stack))

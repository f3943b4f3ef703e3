"""Rows of reading: a backlog into traces, by one instance and two, and the rebuild from the journal."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path

from bson import decode_all

from benchmarks.child import Answer, run, run_all
from benchmarks.rows_memory import rate
from benchmarks.servers import admin, cpu_seconds, database, progress, until_read
from benchmarks.table import Row
from tools.local.stack import Stack

SLOWEST_PER_SECOND = 400


@dataclass
class Backlog:
    """A history in the topics of a stack, which nobody has read yet."""

    stack: Stack
    file: Path
    lineage: Path
    events: int

    def fill(self, sampled_one_in: int = 0) -> None:
        """Publish the history; one in so many events belongs to a sampled trace."""
        progress(f"publishing a backlog of {self.events:,} events")
        kafka = self.stack.kafka_admin.settings()
        run("relaying.producing", kafka=kafka, file=str(self.file), sampled_one_in=sampled_one_in)

    def read(self, job: str, instances: int, name: str) -> Answer:
        """Run so many instances of a job until they have read all of it into a database."""
        to = {"kafka": self.stack.kafka_admin.settings(), "mongodb": self.stack.mongodb_admin_uri, "database": name}
        if job == "projecting.projecting":
            self._store_commits_of_policies(name)
            jobs = [(job, {**to, "instance": f"bench-{number}"}) for number in range(instances)]
        else:
            jobs = [(job, {**to, "group": name}) for _ in range(instances)]
        before = cpu_seconds(self.stack)
        patience = 60 + self.events / SLOWEST_PER_SECOND
        answers = run_all(jobs, lambda: until_read(self.stack, name, self.events, patience))
        if job == "projecting.projecting":
            self._check_traces(name)
        servers = {server: used - before[server] for server, used in cpu_seconds(self.stack).items()}
        worked = [answer for answer in answers if answer["count"]]
        seconds = max(answer["last"] for answer in worked) - min(answer["first"] for answer in worked)
        peak = max(answer["peak_mb"] for answer in answers)
        cpu = {"here": sum(answer["cpu"] for answer in answers), **servers}
        return {"count": self.events, "seconds": seconds, "peak_mb": peak, "cpu": cpu}

    def _check_traces(self, name: str) -> None:
        """Raise ValueError unless every recommendation has its trace."""
        with admin(self.stack) as client:
            traces = client[name].traces.count_documents({})
            known = client[name].states.count_documents({"kind": "recommendation"})
        if not traces or traces != known:
            raise ValueError(f"{traces} traces of {known} recommendations")

    def _store_commits_of_policies(self, name: str) -> None:
        """Store the commits that the policies made in this history: run again, they have no effect."""
        if documents := decode_all(self.lineage.read_bytes()):
            with admin(self.stack) as client:
                client[name].commits.insert_many(documents)


def live(backlog: Backlog, instances: int, repeats: int) -> Row:
    """Measure the reading of a backlog into traces."""
    works: list[Answer] = []
    ceilings: list[Answer] = []
    for turn in range(repeats):
        progress(f"{backlog.events:,} events into traces, {instances} instance(s), {turn + 1} of {repeats}")
        with database(backlog.stack) as name:
            ceilings.append(backlog.read("projecting.inserting", instances, name))
        with database(backlog.stack) as name:
            works.append(backlog.read("projecting.projecting", instances, name))
    return Row(
        f"backlog of {backlog.events:,} into traces, {_instances(instances)}",
        tuple(map(rate, works)),
        f"consumer that decodes and inserts, {_instances(instances)}",
        tuple(map(rate, ceilings)),
        wanted=0.4,
        peak_mb=max(work["peak_mb"] for work in works),
        notes=(f"processor time of an event: {_cpu(works)}; of the ceiling: {_cpu(ceilings)}",),
    )


def _cpu(answers: list[Answer]) -> str:
    """Return the processor time per event, in the process and in the servers, as text; noise changes it little."""
    costs = {
        "in the process": [answer["cpu"]["here"] / answer["count"] for answer in answers],
        "in MongoDB": [answer["cpu"]["mongodb"] / answer["count"] for answer in answers],
        "in Kafka": [answer["cpu"]["kafka"] / answer["count"] for answer in answers],
    }
    return ", ".join(f"{1_000_000 * statistics.median(each):.0f} µs {where}" for where, each in costs.items())


def _instances(number: int) -> str:
    return {1: "one instance", 2: "two instances"}[number]


def rebuild(backlog: Backlog, repeats: int) -> Row:
    """Measure the rebuild from the journal into MongoDB."""
    works: list[Answer] = []
    ceilings: list[Answer] = []
    with database(backlog.stack) as name:
        progress(f"reading {backlog.events:,} events into a journal")
        backlog.read("projecting.projecting", 1, name)
        to = {
            "kafka": backlog.stack.kafka_admin.settings(),
            "mongodb": backlog.stack.mongodb_admin_uri,
            "database": name,
        }
        for turn in range(repeats):
            progress(f"rebuild of {backlog.events:,} events, {turn + 1} of {repeats}")
            ceilings.append(run("decoding.decoding", file=str(backlog.file), without_gc=False))
            works.append(run("rebuilding.rebuilding", **to))
    return Row(
        f"rebuild from the journal into MongoDB, {backlog.events:,} events",
        tuple(map(rate, works)),
        "decoding",
        tuple(map(rate, ceilings)),
        wanted=0.3,
        peak_mb=max(work["peak_mb"] for work in works),
    )


def flat(rows: list[Row], sizes: list[int]) -> Row:
    """Return the row of the cost of an event at each size of the backlog."""
    costs = [1_000_000 / statistics.median(row.figures) for row in rows]
    text = ", ".join(f"{cost:.0f} µs at {size:,}" for cost, size in zip(costs, sizes, strict=True))
    memory = ", ".join(f"{row.peak_mb:.0f} MB" for row in rows if row.peak_mb is not None)
    return Row(
        "cost of an event by the size of the backlog, one instance",
        says=text,
        peak_mb=max(row.peak_mb or 0.0 for row in rows),
        notes=(f"the last in parts of the first: {costs[-1] / costs[0]:.2f}; peak memory: {memory}",),
    )

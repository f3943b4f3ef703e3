"""The servers that all measurements of one run share."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import MongoClient

from tools.local import kafka
from tools.local.messages import say
from tools.local.stack import Stack, temporary

QUICK_START = "-XX:TieredStopAtLevel=1"
PARTITIONS = 6


@contextmanager
def servers(services: Sequence[str] = ()) -> Iterator[Stack]:
    """Yield a new stack; its broker's Java compiles to the last tier, as in production."""
    jvm = kafka.JVM
    setattr(kafka, "JVM", tuple(flag for flag in jvm if flag != QUICK_START))  # noqa: B010
    try:
        with temporary(services, lambda _: None) as stack:
            yield stack
    finally:
        kafka.JVM = jvm


@contextmanager
def database(stack: Stack) -> Iterator[str]:
    """Yield the name of an empty database, dropped at the end."""
    name = f"bench_{uuid4().hex[:12]}"
    with admin(stack) as client:
        try:
            yield name
        finally:
            client.drop_database(name)


@contextmanager
def admin(stack: Stack) -> Iterator[MongoClient[dict[str, Any]]]:
    """Yield a client with all rights."""
    with MongoClient[dict[str, Any]](stack.mongodb_admin_uri) as client:
        yield client


def topic(stack: Stack) -> str:
    """Make a topic like those of the services, and return its name."""
    name = f"bench.{uuid4().hex[:12]}"

    async def make() -> None:
        client = AIOKafkaAdminClient(**stack.kafka_admin.client())
        await client.start()
        await client.create_topics([NewTopic(name, PARTITIONS, 1)])
        await client.close()

    asyncio.run(make())
    return name


def until_read(stack: Stack, name: str, count: int, patience: float) -> None:
    """Wait until the offsets in a database add up to so many records. Raises TimeoutError."""
    with admin(stack) as client:
        progress = client[name].progress
        end = time.monotonic() + patience
        while (done := sum(row["next"] for row in progress.find())) < count:
            if time.monotonic() > end:
                raise TimeoutError(f"only {done} of {count} records were read in {patience:.0f} s")
            time.sleep(0.05)


def cpu_seconds(stack: Stack) -> dict[str, float]:
    """Return the processor time that each server has used."""
    return {name: processor_seconds(pid) for name, pid in stack.pids().items()}


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def progress(line: str) -> None:
    """Print the progress of the run."""
    say(f"bench: {line}")

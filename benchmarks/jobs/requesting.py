"""Commands over HTTP: 64 concurrent ones, and a steady rate until their traces are stored."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from uuid import uuid4

from motor.motor_asyncio import AsyncIOMotorClient

from benchmarks.job import Gate

CONCURRENCY = 64
PATIENCE_SECONDS = 60.0
Body = dict[str, Any]


class Connection:
    """One keep-alive connection to a service, with minimal HTTP: a client must cost less than the service."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token
        self._turn = asyncio.Lock()
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def open(self) -> Connection:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def send(self, path: str, body: Body) -> int:
        """Send a command and return the stream's version after it."""
        content = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self._token}\r\n"
            f"Content-Type: application/json\r\nIdempotency-Key: {uuid4()}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        async with self._turn:
            self._writer.write(head.encode() + content)
            status, answer = await self._answer()
        if status != 200:
            raise ValueError(f"{path}: {status} {answer[:500]!r}")
        return int(json.loads(answer)["version"])

    async def _answer(self) -> tuple[int, bytes]:
        head = await self._reader.readuntil(b"\r\n\r\n")
        lines = head.decode().lower().split("\r\n")
        length = next(int(line.partition(":")[2]) for line in lines if line.startswith("content-length:"))
        return int(lines[0].split()[1]), await self._reader.readexactly(length)


def a_draft(reference: str) -> tuple[str, Body]:
    """Return the command that drafts a recommendation."""
    text = "It invites member States to share what they measure, on a voluntary basis and step by step. " * 2
    return "/recommendations", {
        "reference": reference, "title": f"Synthetic recommendation {reference}", "text": text.strip(),
        "kinds": ["policy"], "addressees": ["member States"], "themes": ["Synthetic theme: air"], "on": "2021-02-03",
    }  # fmt: skip


def a_report(reference: str, number: int) -> tuple[str, Body]:
    """Return a command that reports a follow-up."""
    return f"/recommendations/{reference}/follow-up", {
        "progress": "under_implementation", "responsible": f"Synthetic office {number}", "on": "2021-03",
        "evidence": {"text": f"Synthetic evidence number {number}"}, "status": "inferred",
    }  # fmt: skip


async def concurrent(gate: Gate, port: int, token: str, prefix: str, each: int) -> dict[str, Any]:
    """Send a draft and its follow-ups, one after the other, on each of 64 connections."""
    connections = [await Connection(port, token).open() for _ in range(CONCURRENCY)]

    async def work(number: int, connection: Connection) -> None:
        reference = f"{prefix}/2031/R{number}"
        await connection.send(*a_draft(reference))
        for report in range(1, each):
            await connection.send(*a_report(reference, report))

    await gate.go()
    begun = time.perf_counter()
    await asyncio.gather(*(work(number, connection) for number, connection in enumerate(connections, start=1)))
    return {"count": CONCURRENCY * each, "seconds": time.perf_counter() - begun}


async def until_traced(
    gate: Gate, port: int, token: str, mongodb: str, database: str, prefix: str, rate: float, count: int
) -> dict[str, Any]:
    """Send follow-ups at a steady rate, and measure each until the stored trace depends on it."""
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(mongodb)
    traces = client[database].traces
    connections = [await Connection(port, token).open() for _ in range(40)]
    for number, connection in enumerate(connections):
        await connection.send(*a_draft(f"{prefix}/2031/R{number + 1}"))
    latencies: list[float] = []
    answers: list[float] = []

    async def one(number: int, at: float) -> None:
        await asyncio.sleep(at - time.perf_counter())
        index = number % len(connections)
        connection, reference = connections[index], f"{prefix}/2031/R{index + 1}"
        begun = time.perf_counter()
        version = await connection.send(*a_report(reference, number))
        answers.append(time.perf_counter() - begun)
        await _wait_until_traced(traces, reference, version)
        latencies.append(time.perf_counter() - begun)

    await gate.go()
    start = time.perf_counter() + 0.5
    await asyncio.gather(*(one(number, start + number / rate) for number in range(count)))
    return {"count": count, "seconds": count / rate, "traced": sorted(latencies), "answered": sorted(answers)}


async def _wait_until_traced(traces: Any, reference: str, version: int) -> None:
    until = time.perf_counter() + PATIENCE_SECONDS
    based_on = {"$elemMatch": {"0": f"recommendation/{reference}", "1": {"$gte": version}}}
    while await traces.find_one({"_id": reference, "based_on": based_on}, {"_id": 1}) is None:
        if time.perf_counter() > until:
            raise TimeoutError(f"{reference} version {version} is not in the trace")
        await asyncio.sleep(0.004)

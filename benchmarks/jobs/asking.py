"""Commands over HTTP: 64 at once, and at a steady rate until their traces are seen."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from uuid import uuid4

from motor.motor_asyncio import AsyncIOMotorClient

from benchmarks.job import Gate

AT_ONCE = 64
PATIENCE_SECONDS = 60.0
Body = dict[str, Any]


class Desk:
    """One kept connection to a service; as little as HTTP needs, for a client must cost less than what it measures."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token
        self._turn = asyncio.Lock()
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def open(self) -> Desk:
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
        "kinds": ["policy"], "addressees": ["member States"], "themes": ["Synthetic theme: air"], "on": "2031-02-03",
    }  # fmt: skip


def a_report(reference: str, number: int) -> tuple[str, Body]:
    """Return a command that reports a follow-up."""
    return f"/recommendations/{reference}/follow-up", {
        "progress": "under_implementation", "responsible": f"Synthetic office {number}", "on": "2031-03",
        "evidence": {"text": f"Synthetic evidence number {number}"}, "status": "inferred",
    }  # fmt: skip


async def at_once(gate: Gate, port: int, token: str, prefix: str, each: int) -> dict[str, Any]:
    """Let 64 desks each send a draft and its follow-ups, one after the other."""
    desks = [await Desk(port, token).open() for _ in range(AT_ONCE)]

    async def work(number: int, desk: Desk) -> None:
        reference = f"{prefix}/2031/R{number}"
        await desk.send(*a_draft(reference))
        for report in range(1, each):
            await desk.send(*a_report(reference, report))

    await gate.go()
    begun = time.perf_counter()
    await asyncio.gather(*(work(number, desk) for number, desk in enumerate(desks, start=1)))
    return {"count": AT_ONCE * each, "seconds": time.perf_counter() - begun}


async def until_seen(
    gate: Gate, port: int, token: str, mongodb: str, database: str, prefix: str, rate: float, count: int
) -> dict[str, Any]:
    """Send follow-ups at a steady rate, and note how long each took until the stored trace rested on it."""
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(mongodb)
    traces = client[database].traces
    desks = [await Desk(port, token).open() for _ in range(40)]
    for number, desk in enumerate(desks):
        await desk.send(*a_draft(f"{prefix}/2031/R{number + 1}"))
    waits: list[float] = []
    answers: list[float] = []

    async def one(number: int, at: float) -> None:
        await asyncio.sleep(at - time.perf_counter())
        desk, reference = desks[number % len(desks)], f"{prefix}/2031/R{number % len(desks) + 1}"
        begun = time.perf_counter()
        version = await desk.send(*a_report(reference, number))
        answers.append(time.perf_counter() - begun)
        await _seen(traces, reference, version)
        waits.append(time.perf_counter() - begun)

    await gate.go()
    start = time.perf_counter() + 0.5
    await asyncio.gather(*(one(number, start + number / rate) for number in range(count)))
    return {"count": count, "seconds": count / rate, "seen": sorted(waits), "answered": sorted(answers)}


async def _seen(traces: Any, reference: str, version: int) -> None:
    until = time.perf_counter() + PATIENCE_SECONDS
    rests = {"_id": reference, "based_on": {"$elemMatch": {"0": f"recommendation/{reference}", "1": {"$gte": version}}}}
    while await traces.find_one(rests, {"_id": 1}) is None:
        if time.perf_counter() > until:
            raise TimeoutError(f"{reference} version {version} was not seen")
        await asyncio.sleep(0.004)

"""Commands to all four services at a steady rate, each over a connection of its own, and what became of them."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

RATE = 20.0
ATTEMPTS = 6
Command = tuple[str, str, dict[str, Any]]


@dataclass
class Outcome:
    """The commands that were sent, and how often which fault was met; `failed` are those that no retry helped."""

    sent: int = 0
    failed: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        met = ", ".join(f"{name} {times}" for name, times in sorted(self.faults.items())) or "none"
        return f"{self.sent} commands, {self.failed} failed, faults: {met}"


def commands(run: str) -> Iterator[Command]:
    """Yield commands that are always accepted: new records, to each service in turn."""
    for number in itertools.count(1):
        name = f"{run}-{number}"
        yield "nominations", "/calls", {"call": name, "title": "Synthetic call"}
        yield "meetings", "/recorded-meetings", {"meeting": name, "title": "Synthetic meeting", "kind": "other"}
        yield "recommendations", "/deliverables", {"deliverable": name, "body": "Synthetic body", "year": "2030"}
        details = {"name": "Synthetic Reader", "address": "synthetic.reader@example.org"}
        yield (
            "notifications",
            "/subscriptions",
            {"subscription": name, "details": details, "events": ["PriorityClosed"]},
        )


@asynccontextmanager
async def under_load(urls: Mapping[str, str], token: str, run: str):  # type: ignore[no-untyped-def]
    """Send commands while the body runs; yield the outcome, which is whole once it has ended."""
    outcome, ending = Outcome(), asyncio.Event()
    limits = httpx2.Limits(max_keepalive_connections=0)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, limits=limits, timeout=10, trust_env=False) as client:
        sending = asyncio.create_task(_send_all(client, urls, run, outcome, ending))
        try:
            yield outcome
        finally:
            ending.set()
            await sending


async def _send_all(
    client: httpx2.AsyncClient, urls: Mapping[str, str], run: str, outcome: Outcome, ending: asyncio.Event
) -> None:
    under_way: set[asyncio.Task[None]] = set()
    for service, path, body in commands(run):
        if ending.is_set():
            break
        outcome.sent += 1
        under_way.add(task := asyncio.create_task(_send(client, urls[service] + path, body, outcome)))
        task.add_done_callback(under_way.discard)
        await asyncio.sleep(1 / RATE)
    await asyncio.gather(*under_way)


async def _send(client: httpx2.AsyncClient, url: str, body: dict[str, Any], outcome: Outcome) -> None:
    """Send one command under one id, again after a fault, as a client should; count each fault."""
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    for attempt in range(ATTEMPTS):
        try:
            answer = await client.post(url, json=body, headers=headers)
        except httpx2.TransportError as fault:
            outcome.faults[type(fault).__name__] += 1
        else:
            if answer.is_success:
                return
            outcome.faults[str(answer.status_code)] += 1
        await asyncio.sleep(0.5 * 2**attempt)
    outcome.failed += 1

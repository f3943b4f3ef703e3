"""Commands to all four services at a steady rate, each over a connection of its own, and what became of them.

As a program it runs in a container beside the console, with nothing of this checkout but this file: it sends until a
line arrives at its standard input, reads back what was accepted, and prints the outcome.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx2

RATE = 20.0
ATTEMPTS = 7  # within half a minute, for which the command line retries too
CONCURRENT_READS = 16
READ_SECONDS = 25
DRAFT_SECONDS = 1.0
BEGUN = "begun"
PROBLEM = "application/problem+json"


class Command(NamedTuple):
    """A command, and where its effect is read: the second service has it by way of Kafka."""

    service: str
    path: str
    body: dict[str, Any]
    reader: str
    read_at: str


@dataclass
class Outcome:
    """The commands that were sent, and how often which fault was met; `failed` are those that no retry helped.

    `accepted` are the services and paths at which accepted commands are to be read; `lost` are the paths of those that
    show nothing. `traces` has, for each recommendation that was drafted beside the commands, when it was accepted and
    when its trace was shown, in seconds since the epoch.
    """

    sent: int = 0
    failed: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    accepted: list[tuple[str, str]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    traces: list[tuple[float, float]] = field(default_factory=list)


def commands(run: str) -> Iterator[Command]:
    """Yield commands that are always accepted: new records, to each service in turn."""
    for number in itertools.count(1):
        name = f"{run}-{number}"
        call = {"call": name, "title": "Synthetic call"}
        yield Command("nominations", "/calls", call, "nominations", f"/calls/{name}")
        meeting = {"meeting": name, "title": "Synthetic meeting", "kind": "other"}
        yield Command("meetings", "/recorded-meetings", meeting, "recommendations", f"/meetings-heard/{name}")
        deliverable = {"deliverable": name, "body": "Synthetic body", "year": "2030"}
        yield Command("recommendations", "/deliverables", deliverable, "recommendations", f"/deliverables/{name}")
        details = {"name": "Synthetic Reader", "address": "synthetic.reader@example.org"}
        subscription = {"subscription": name, "details": details, "events": ["PriorityClosed"]}
        yield Command("notifications", "/subscriptions", subscription, "notifications", f"/subscriptions/{name}")


def drafts(run: str) -> Iterator[Command]:
    """Yield recommendations to draft, each of which has a trace."""
    committee = "".join(filter(str.isalnum, run)).upper()[:10]
    for number in itertools.count(1):
        reference = f"{committee}/2031/R{number}"
        body = {"reference": reference, "title": "Synthetic recommendation"}
        yield Command("recommendations", "/recommendations", body, "recommendations", f"/traces/{reference}")


@asynccontextmanager
async def under_load(urls: Mapping[str, str], token: str, run: str) -> AsyncIterator[Outcome]:
    """Send commands while the body runs; yield the outcome, which is whole once it has ended."""
    load = Load(urls, token)
    async with load.client:
        sending = asyncio.create_task(load.send_all(run))
        try:
            yield load.outcome
        finally:
            load.ending.set()
            await sending


class Load:
    """One run of commands, until `ending` is set."""

    def __init__(self, urls: Mapping[str, str], token: str) -> None:
        self._urls = urls
        self.outcome, self.ending = Outcome(), asyncio.Event()
        self.client = httpx2.AsyncClient(
            headers={"Authorization": f"Bearer {token}"},
            limits=httpx2.Limits(max_keepalive_connections=0),
            timeout=10,
            trust_env=False,
        )

    async def send_all(self, run: str) -> None:
        """Send the commands at the steady rate."""
        await self._pace(map(self._send, commands(run)), 1 / RATE)

    async def draft_all(self, run: str) -> None:
        """Draft a recommendation each second, and note when its trace is shown."""
        await self._pace(map(self._draft, drafts(run)), DRAFT_SECONDS)

    async def _pace(self, requests: Iterator[Coroutine[Any, Any, object]], seconds: float) -> None:
        """Begin a request each so many seconds until the end is asked for, then await those under way."""
        under_way: set[asyncio.Task[object]] = set()
        while not self.ending.is_set():
            under_way.add(task := asyncio.create_task(next(requests)))
            task.add_done_callback(under_way.discard)
            await asyncio.sleep(seconds)
        await asyncio.gather(*under_way)

    async def read_back(self) -> None:
        """Read each accepted command's effect, and note those that do not show."""
        free = asyncio.Semaphore(CONCURRENT_READS)

        async def read(service: str, path: str) -> None:
            async with free:
                if not await self._is_shown(service, path):
                    self.outcome.lost.append(path)

        await asyncio.gather(*(read(service, path) for service, path in self.outcome.accepted))

    async def _draft(self, command: Command) -> None:
        if not await self._send(command):
            return
        accepted = time.time()
        while not await self._is_shown(command.reader, command.read_at):
            if time.time() - accepted > 10 * READ_SECONDS:
                return  # and it will be among the lost
        self.outcome.traces.append((accepted, time.time()))

    async def _is_shown(self, service: str, path: str) -> bool:
        query = {"at_least": 1, "wait": READ_SECONDS}
        try:
            answer = await self.client.get(self._urls[service] + path, params=query, timeout=READ_SECONDS + 5)
        except httpx2.TransportError:
            answer = None
        if answer is None or not answer.is_success:
            await asyncio.sleep(0.2)
            return False
        return True

    async def _send(self, command: Command) -> bool:
        """Send one command under one id, again after a fault, as a client should; count each fault."""
        self.outcome.sent += 1
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        for attempt in range(ATTEMPTS):
            try:
                answer = await self.client.post(
                    self._urls[command.service] + command.path, json=command.body, headers=headers
                )
            except httpx2.TransportError as fault:
                self.outcome.faults[type(fault).__name__] += 1
            else:
                if answer.is_success:
                    self.outcome.accepted.append((command.reader, command.read_at))
                    return True
                self.outcome.faults[_fault_of(answer)] += 1
            await asyncio.sleep(0.5 * 2**attempt)
        self.outcome.failed += 1
        return False


def _fault_of(answer: httpx2.Response) -> str:
    """Name what accepts nothing: a service refuses with a problem, and whatever else answers at its address does not.

    While kube-proxy replaces its tables one after another, a request may go where the machine sends all the world's.
    """
    from_service = answer.headers.get("Content-Type") == PROBLEM
    return f"{answer.status_code}" if from_service else f"{answer.status_code} of no service"


async def _until_told(urls: Mapping[str, str], token: str, run: str) -> Outcome:
    load = Load(urls, token)
    async with load.client, asyncio.TaskGroup() as group:
        sending = [group.create_task(load.send_all(run)), group.create_task(load.draft_all(run))]
        print(BEGUN, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        load.ending.set()
        await asyncio.gather(*sending)
        await load.read_back()
    return load.outcome


def main() -> None:
    """Send to the services of the console's environment until told to end, and print the outcome."""
    urls = json.loads(os.environ["THROUGHLINE_CONSOLE_SERVICES"])
    outcome = asyncio.run(_until_told(urls, os.environ["THROUGHLINE_TOKEN"], sys.argv[1]))
    print(json.dumps(vars(outcome)), flush=True)


if __name__ == "__main__":
    main()

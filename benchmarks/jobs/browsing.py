"""Pages of the console by one reader and by four at once, and the services' answers that each page is made from."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx2
import orjson
from cryptography.fernet import Fernet

from benchmarks.job import Gate
from benchmarks.servers import processor_seconds
from tools.console.app import make_app
from tools.console.services import make_client
from tools.console.settings import ConsoleSettings

READERS = 4
WAIT_SECONDS = 120.0


async def browsing(
    gate: Gate, settings: dict[str, Any], token: str, pid: int, pages: dict[str, str], turns: int
) -> dict[str, Any]:
    """Request each page so many times by one reader, then by four at once, with its services' answers in turn."""
    console, cookies = ConsoleSettings(**settings), _session(settings["keys"], token)
    requested = await _requested(console, cookies, pages)
    await gate.go()
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(base_url=console.address, cookies=cookies, timeout=WAIT_SECONDS, trust_env=False) as reader,
        httpx2.AsyncClient(headers=headers, timeout=WAIT_SECONDS, trust_env=False) as client,
    ):
        return {
            name: await _measured(reader, client, path, requested[name], pid, turns) for name, path in pages.items()
        }


def _session(key: str, token: str) -> dict[str, str]:
    """Return the cookies of a reader signed in."""
    person = {"token": token, "name": "Synthetic Officer", "actor": "synthetic-bench", "role": "secretariat"}
    session = {"person": person, "until": int(time.time() + 36_000), "csrf": "synthetic-bench"}
    return {"throughline": Fernet(key).encrypt(orjson.dumps(session)).decode()}


async def _requested(
    settings: ConsoleSettings, cookies: Mapping[str, str], pages: Mapping[str, str]
) -> dict[str, list[str]]:
    """Return the addresses that each page requests of the services, by a console in this process."""
    addresses: list[str] = []
    by_page: dict[str, list[str]] = {}

    async def note(request: httpx2.Request) -> None:
        addresses.append(str(request.url))

    app = make_app(settings)
    reader = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=settings.address, cookies=dict(cookies))
    async with make_client() as client, reader:
        client.event_hooks = {"request": [note]}
        app.state.client = client
        for name, path in pages.items():
            addresses.clear()
            await _text(reader, path)
            by_page[name] = list(addresses)
    return by_page


async def _measured(
    reader: httpx2.AsyncClient, client: httpx2.AsyncClient, path: str, requested: list[str], pid: int, turns: int
) -> dict[str, Any]:
    page = await _text(reader, path)

    async def answers() -> None:
        await asyncio.gather(*(client.get(address) for address in requested))

    await answers()
    single, ceiling = [], []
    used = 0.0
    for _ in range(turns):
        before = processor_seconds(pid)
        single.append(await _milliseconds(lambda: _text(reader, path)))
        used += processor_seconds(pid) - before
        ceiling.append(await _milliseconds(answers))
    several = await asyncio.gather(*(_several(reader, path, turns // READERS) for _ in range(READERS)))
    return {
        "single": sorted(single),
        "several": sorted(each for times in several for each in times),
        "ceiling": sorted(ceiling),
        "requests": len(requested),
        "processor_ms": 1_000 * used / turns,
        "bytes": len(page),
        "gzipped": len(gzip.compress(page)),
    }


async def _several(reader: httpx2.AsyncClient, path: str, turns: int) -> list[float]:
    return [await _milliseconds(lambda: _text(reader, path)) for _ in range(turns)]


async def _text(reader: httpx2.AsyncClient, path: str) -> bytes:
    """Return a page's bytes. Raises ValueError where it is no page."""
    response = await reader.get(path)
    if response.status_code != httpx2.codes.OK:
        raise ValueError(f"{path}: {response.status_code} {response.text[:500]}")
    return response.content


async def _milliseconds(work: Callable[[], Awaitable[Any]]) -> float:
    begun = time.perf_counter()
    await work()
    return 1_000 * (time.perf_counter() - begun)

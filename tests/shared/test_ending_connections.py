"""Connections at the end of a process: a request that is on its way is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from shared.runtime.connections import FIRST_REQUEST_SECONDS, limited_connections

REQUEST = b"GET / HTTP/1.1\r\nHost: synthetic\r\n\r\n"


async def app(_scope: Any, _receive: Any, send: Callable[[Any], Any]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


@asynccontextmanager
async def ending() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server that was told to end after it had taken the connection."""
    http = limited_connections("synthetic", 100)
    config = uvicorn.Config(app, port=0, http=http, lifespan="off", log_config=None, timeout_graceful_shutdown=10)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
    await until(lambda: bool(server.server_state.connections))
    server.should_exit = True
    await until(lambda: not server.servers[0].is_serving())
    yield reader, writer
    writer.close()
    await serving


async def test_a_first_request_on_its_way_is_answered() -> None:
    async with ending() as (reader, writer):
        writer.write(REQUEST)
        assert (await reader.readline()) == b"HTTP/1.1 200 OK\r\n"


async def test_a_connection_without_a_request_ends_soon() -> None:
    async with ending() as (reader, _):
        async with asyncio.timeout(10 * FIRST_REQUEST_SECONDS):
            assert await reader.read() == b""

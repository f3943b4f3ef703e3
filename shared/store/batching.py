"""Coalesces concurrent requests into one round trip: the trip to a server costs more than its payload."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Request = TypeVar("Request")
Result = TypeVar("Result")


class RequestBatcher(Generic[Request, Result]):
    """A queue that executes one batch of requests at a time: immediately when idle, else in the next batch.

    `execute` returns one result per request, in order; `submit` raises a result that is an exception. Cancelling
    `submit` does not cancel the request.
    """

    def __init__(
        self, execute: Callable[[Sequence[Request]], Awaitable[Sequence[Result | Exception]]], max_size: int = 200
    ) -> None:
        self._execute = execute
        self._max_size = max_size
        self._queue: list[tuple[Request, asyncio.Future[Result]]] = []
        self._running: asyncio.Task[None] | None = None

    async def submit(self, request: Request) -> Result:
        """Queue a request for the next batch; return its result."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._queue.append((request, future))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._queue:
                batch, self._queue = self._queue[: self._max_size], self._queue[self._max_size :]
                for (_, future), result in zip(batch, await self._results([each for each, _ in batch]), strict=True):
                    if future.done():
                        continue
                    if isinstance(result, Exception):
                        future.set_exception(result)
                    else:
                        future.set_result(result)
        finally:
            self._running = None

    async def _results(self, requests: Sequence[Request]) -> Sequence[Result | Exception]:
        try:
            return await self._execute(requests)
        except Exception as error:  # noqa: BLE001 - `submit` raises it for each request
            return [error] * len(requests)

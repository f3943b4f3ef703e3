"""Concurrent requests share a batch, and each gets its own result."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from shared.store.batching import RequestBatcher


class Executor:
    """Executes batches once `go` is set, and records them; a negative number fails alone."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = asyncio.Event()
        self.fails = False

    async def __call__(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(numbers))
        await self.go.wait()
        if self.fails:
            self.fails = False
            raise ConnectionError
        return [ValueError(number) if number < 0 else number * 10 for number in numbers]


async def submitted(batcher: RequestBatcher[int, int], *numbers: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(batcher.submit(number)) for number in numbers]
    await asyncio.sleep(0.01)
    return tasks


async def test_requests_submitted_while_a_batch_runs_go_into_the_next_batch():
    executor = Executor()
    batcher = RequestBatcher(executor)
    first = await submitted(batcher, 1)
    later = await submitted(batcher, 2, 3)
    assert executor.batches == [[1]]
    executor.go.set()
    assert await asyncio.gather(*first, *later) == [10, 20, 30]
    assert executor.batches == [[1], [2, 3]]


async def test_a_batch_holds_no_more_requests_than_its_maximum():
    executor = Executor()
    batcher = RequestBatcher(executor, max_size=2)
    tasks = await submitted(batcher, 1, 2, 3, 4, 5)
    executor.go.set()
    await asyncio.gather(*tasks)
    assert executor.batches == [[1, 2], [3, 4], [5]]


async def test_a_request_that_fails_fails_alone():
    executor = Executor()
    batcher = RequestBatcher(executor)
    tasks = await submitted(batcher, 1, -2, 3)
    executor.go.set()
    one, two, three = await asyncio.gather(*tasks, return_exceptions=True)
    assert (one, type(two), three) == (10, ValueError, 30)


async def test_a_batch_that_fails_raises_for_each_of_its_requests_and_the_next_batch_runs():
    executor = Executor()
    executor.fails = True
    batcher = RequestBatcher(executor)
    first = await submitted(batcher, 1, 2)
    later = await submitted(batcher, 3)
    executor.go.set()
    assert [type(result) for result in await asyncio.gather(*first, return_exceptions=True)] == [ConnectionError] * 2
    assert await later[0] == 30


async def test_a_cancelled_request_delays_no_other():
    executor = Executor()
    batcher = RequestBatcher(executor)
    cancelled, other = await submitted(batcher, 1, 2)
    cancelled.cancel()
    executor.go.set()
    assert await other == 20
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert await batcher.submit(3) == 30

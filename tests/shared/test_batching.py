"""Concurrent requests are carried out in one batch, each with its own outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from shared.store.batching import RequestBatcher


class Round:
    """Carries out batches at a signal and records them; a negative number fails alone."""

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


async def begun(together: RequestBatcher[int, int], *numbers: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(together.ask(number)) for number in numbers]
    await asyncio.sleep(0.01)
    return tasks


async def test_a_request_during_a_round_trip_goes_into_the_next_batch():
    carried = Round()
    together = RequestBatcher(carried)
    first = await begun(together, 1)
    later = await begun(together, 2, 3)
    assert carried.batches == [[1]]
    carried.go.set()
    assert await asyncio.gather(*first, *later) == [10, 20, 30]
    assert carried.batches == [[1], [2, 3]]


async def test_a_round_carries_no_more_than_it_may():
    carried = Round()
    together = RequestBatcher(carried, most=2)
    tasks = await begun(together, 1, 2, 3, 4, 5)
    carried.go.set()
    await asyncio.gather(*tasks)
    assert carried.batches == [[1, 2], [3, 4], [5]]


async def test_one_that_fails_fails_alone():
    carried = Round()
    together = RequestBatcher(carried)
    tasks = await begun(together, 1, -2, 3)
    carried.go.set()
    one, two, three = await asyncio.gather(*tasks, return_exceptions=True)
    assert (one, type(two), three) == (10, ValueError, 30)


async def test_a_round_that_fails_is_raised_for_all_in_it_and_the_next_one_goes():
    carried = Round()
    carried.fails = True
    together = RequestBatcher(carried)
    first = await begun(together, 1, 2)
    later = await begun(together, 3)
    carried.go.set()
    assert [type(outcome) for outcome in await asyncio.gather(*first, return_exceptions=True)] == [ConnectionError] * 2
    assert await later[0] == 30


async def test_a_cancelled_request_does_not_hinder_others():
    carried = Round()
    together = RequestBatcher(carried)
    gone, stays = await begun(together, 1, 2)
    gone.cancel()
    carried.go.set()
    assert await stays == 20
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert await together.ask(3) == 30

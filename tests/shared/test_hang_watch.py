"""When a loop counts as hung: by its reports, in turns of the watch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from shared.runtime.hang_watch import LONG_WORK, TURNS, HangWatch, WatchedLoop
from shared.runtime.telemetry import Pulse


@asynccontextmanager
async def a_loop(pulse: Pulse) -> AsyncIterator[WatchedLoop]:
    async def loop() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(loop())
    await asyncio.sleep(0)
    try:
        yield WatchedLoop(pulse, task)
    finally:
        task.cancel()
        await asyncio.wait({task})


def turns_until_silent(loop: WatchedLoop, at_most: int = 2 * TURNS * LONG_WORK) -> int | None:
    return next((turn for turn in range(at_most) if loop.is_silent()), None)


async def test_a_loop_that_reports_nothing_hangs_and_its_place_is_named() -> None:
    pulse = Pulse("synthetic")
    pulse.beat()
    async with a_loop(pulse) as loop:
        assert turns_until_silent(loop) == TURNS
        assert loop.place().startswith("Event.wait:")


def begins(pulse: Pulse) -> None:
    """Report nothing yet."""


def works_long(pulse: Pulse) -> None:
    pulse.beat()
    pulse.is_busy = True


@pytest.mark.parametrize("does", [begins, works_long])
async def test_a_loop_that_begins_or_does_long_work_may_be_silent_for_longer(does: Callable[[Pulse], None]) -> None:
    pulse = Pulse("synthetic")
    does(pulse)
    async with a_loop(pulse) as loop:
        assert turns_until_silent(loop) == TURNS * LONG_WORK


async def test_long_work_is_over_when_it_ends_and_its_end_is_a_sign() -> None:
    pulse = Pulse("synthetic")
    pulse.beat()
    async with a_loop(pulse) as loop:
        assert turns_until_silent(loop, TURNS) is None
        with pulse.long_work():
            with pulse.long_work():
                pass
            assert pulse.is_busy
        assert not pulse.is_busy
        assert turns_until_silent(loop) == TURNS


def waits_for_kafka(pulse: Pulse) -> None:
    pulse.fault("Kafka: KafkaConnectionError")


def waits_for_a_person(pulse: Pulse) -> None:
    pulse.stop("its topic holds what the store lacks")


@pytest.mark.parametrize("does", [waits_for_kafka, waits_for_a_person])
async def test_a_loop_that_reported_a_trouble_does_not_hang(does: Callable[[Pulse], None]) -> None:
    pulse = Pulse("synthetic")
    does(pulse)
    async with a_loop(pulse) as loop:
        assert turns_until_silent(loop) is None


async def test_a_loop_that_makes_progress_or_has_ended_does_not_hang() -> None:
    pulse = Pulse("synthetic")
    async with a_loop(pulse) as loop:
        for _ in range(2 * TURNS * LONG_WORK):
            pulse.beat()
            assert not loop.is_silent()
    assert turns_until_silent(loop) is None


async def test_after_an_outage_of_the_servers_a_loop_has_its_whole_time_again() -> None:
    pulse, answers = Pulse("synthetic"), False
    pulse.beat()

    class Watch(HangWatch):
        def _servers_answer(self) -> bool:
            return answers

    async with a_loop(pulse) as loop:
        watch = Watch([loop], 60.0, lambda _: None, 0.0)
        assert not any(watch.hung() for _ in range(5 * TURNS))
        answers = True
        assert [bool(watch.hung()) for _ in range(TURNS)] == [False] * (TURNS - 1) + [True]

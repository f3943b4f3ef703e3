"""A client of Kafka whose own routine was cancelled cancels nobody else; who is cancelled stays cancelled."""

from __future__ import annotations

import asyncio

import pytest

from shared.consumer.clients import running, stop


class Broken:
    """A client whose own routine was cancelled: its stop raises CancelledError, as aiokafka's does."""

    def __init__(self, seconds: float = 0) -> None:
        self.seconds, self.stopped = seconds, False

    async def start(self) -> None:
        raise ConnectionError("synthetic")

    async def stop(self) -> None:
        self.stopped = True
        await asyncio.sleep(self.seconds)
        raise asyncio.CancelledError


async def test_a_cancelled_routine_of_a_client_cancels_nobody_else() -> None:
    await stop(Broken())


async def test_a_task_that_is_cancelled_while_it_stops_a_client_stays_cancelled() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await stop(Broken(seconds=60))


async def test_a_client_that_cannot_start_is_stopped_and_its_own_error_is_raised() -> None:
    client = Broken()
    with pytest.raises(ConnectionError, match="synthetic"):
        async with running(client):
            pytest.fail("it started")
    assert client.stopped


class Slow:
    """A client whose connection does not end."""

    def __init__(self) -> None:
        self.cancelled = False

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled = True
            raise


async def test_a_client_that_takes_long_to_end_holds_nobody_up_and_is_not_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.consumer.clients.CLOSE_SECONDS", 0.01)
    async with asyncio.timeout(30), running(Slow()) as client:
        pass
    await asyncio.sleep(0)
    assert not client.cancelled

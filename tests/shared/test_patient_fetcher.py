"""How long a broker may hold a fetch, and that no poll of an idle one returns early."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import Fetcher, FetchResult
from aiokafka.consumer.subscription_state import SubscriptionState

from shared.consumer import patient_fetcher
from tests.patience import AT_MOST_SECONDS

BRIEF_MS = 100
ONE, OTHER, ELSEWHERE = (TopicPartition("synthetic", number) for number in range(3))
LEADERS = {ONE: 1, OTHER: 1, ELSEWHERE: 2}


class Records:
    """The fetched records of a partition, none of them consumed."""

    next_fetch_offset = 0

    def __iter__(self) -> Iterator[str]:
        yield "synthetic record"


@pytest.fixture
async def fetcher() -> AsyncIterator[Any]:
    """A fetcher of aiokafka's, of three partitions at two brokers, made patient; it sends nothing by itself."""
    cluster = SimpleNamespace(leader_for_partition=LEADERS.get, broker_metadata=lambda _: None)
    loop = asyncio.get_running_loop()
    client = SimpleNamespace(_loop=loop, _metadata_max_age_ms=10_000, cluster=cluster)
    subscriptions = SubscriptionState()
    subscriptions.assign_from_user(list(LEADERS))
    fetcher = Fetcher(client, subscriptions, fetch_max_wait_ms=BRIEF_MS)
    fetcher._fetch_task.cancel()
    for partition in LEADERS:
        subscriptions.subscription.assignment.state_value(partition).seek(0)
    patient_fetcher.install(SimpleNamespace(_fetcher=fetcher))
    yield fetcher
    await fetcher.close()


def assignment_of(fetcher: Any) -> Any:
    return fetcher._subscriptions.subscription.assignment


def fetched(fetcher: Any) -> FetchResult:
    """Return what a fetch brought that is due again: aiokafka asks for the other partitions meanwhile."""
    return FetchResult(ONE, assignment=assignment_of(fetcher), partition_records=Records(), backoff=0)


def held_ms(fetcher: Any) -> dict[int, int]:
    """Return how long each broker may hold the fetch that is due."""
    requests, *_ = fetcher._get_actions_per_node(assignment_of(fetcher))
    return {node: request._max_wait_ms for node, request in requests}


async def test_a_broker_may_hold_a_fetch_of_all_its_partitions(fetcher: Any) -> None:
    assert held_ms(fetcher) == {1: patient_fetcher.WHOLE_FETCH_MS, 2: patient_fetcher.WHOLE_FETCH_MS}


async def test_a_fetch_that_leaves_a_partition_out_is_brief(fetcher: Any) -> None:
    fetcher._records[ONE] = fetched(fetcher)
    assert held_ms(fetcher) == {1: BRIEF_MS, 2: patient_fetcher.WHOLE_FETCH_MS}


async def test_an_empty_poll_lasts(fetcher: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_fetcher, "POLL_SECONDS", 0.3)
    began = time.monotonic()
    assert await fetcher.fetched_records((), 0.01) == {}
    assert time.monotonic() - began >= 0.3


async def test_a_record_ends_a_poll(fetcher: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_fetcher, "POLL_SECONDS", 2 * AT_MOST_SECONDS)
    poll = asyncio.create_task(fetcher.fetched_records((), 0.01))
    await asyncio.sleep(0.05)
    fetcher._records[ONE] = fetched(fetcher)
    for waiter in list(fetcher._fetch_waiters):
        waiter.set_result(None)
    async with asyncio.timeout(AT_MOST_SECONDS):
        assert await poll == {ONE: ["synthetic record"]}

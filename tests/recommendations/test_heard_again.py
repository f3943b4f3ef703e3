"""What is heard again is composed and not folded again; of what another stored meanwhile, only that is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4

import pytest
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase

from shared.projection.projector import Projector
from tests.recommendations.test_interleavings import EXPECTED, HISTORY, a_projection, stored
from tools.local.stack import Stack

pytestmark = [pytest.mark.servers, pytest.mark.internals]


@pytest.fixture
async def database(servers: Stack) -> AsyncIterator[AsyncIOMotorDatabase[Any]]:
    """A database of this test's own."""
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(servers.mongodb_admin_uri)
    made = client[f"heard_again_{uuid4().hex}"]
    await a_projection(made)[0].prepare()
    yield made
    await client.drop_database(made.name)
    client.close()


def reads_of_journal(projection: Projector) -> list[set[str]]:
    """Return a list that comes to hold which streams are folded from the journal, read by read."""
    reads: list[set[str]] = []
    after = projection.journal.after

    async def noted(heads: Mapping[str, int]) -> Any:
        reads.append(set(heads))
        return await after(heads)

    projection.journal.after = noted  # type: ignore[method-assign]
    return reads


async def test_what_is_heard_again_is_composed_and_nothing_is_folded_again(database: Any):
    projection, _ = a_projection(database)
    reads = reads_of_journal(projection)
    await projection.hear(HISTORY.all())
    await projection.settle()
    await database.traces.delete_many({})
    before = await database.states.find().to_list(None)
    again, _ = a_projection(database)
    reads += reads_of_journal(again)
    await again.take(HISTORY.all())
    assert await stored(database) == EXPECTED
    assert await database.states.find().to_list(None) == before
    assert reads == []


async def test_of_what_another_stored_meanwhile_only_that_is_folded_from_the_journal(database: Any):
    one, other = a_projection(database)[0], a_projection(database)[0]
    reads = reads_of_journal(one)
    stream, events = next(iter(HISTORY.arrivals.items()))
    await one.hear([arrival for arrival in HISTORY.all() if arrival != events[-1]])
    await other.take(events)
    await one.settle()
    assert reads == [{stream}]
    assert await stored(database) == EXPECTED


async def test_the_same_state_stored_by_another_is_not_lost(database: Any):
    one, other = a_projection(database)[0], a_projection(database)[0]
    reads = reads_of_journal(one)
    await one.hear(HISTORY.all())
    await other.take(HISTORY.all())
    await one.settle()
    assert reads == []
    assert await stored(database) == EXPECTED

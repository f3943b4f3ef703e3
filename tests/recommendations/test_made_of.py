"""A trace that another instance has made of the same states is left; one that rests on a state stored since is not."""

from __future__ import annotations

from typing import Any

import pytest

from services.recommendations import projection as reading
from tests.recommendations.test_heard_again import database
from tests.recommendations.test_interleavings import EXPECTED, HISTORY, a_projection, stored

__all__ = ["database"]
pytestmark = [pytest.mark.servers, pytest.mark.internals]


@pytest.fixture(autouse=True)
def every_trace_counts_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at what is stored whatever the number of traces; a service looks where there are very many."""
    monkeypatch.setattr(reading, "TRACES_AT_ONCE", 1)


async def revisions(database: Any) -> dict[str, int]:
    """Return how often each trace was stored."""
    return {row["_id"]: row["revision"] async for row in database.traces.find({}, {"revision": 1})}


async def test_what_another_has_made_of_the_same_states_is_left(database: Any):
    one, other = a_projection(database)[0], a_projection(database)[0]
    await one.hear(HISTORY.all())
    await other.hear(HISTORY.all())
    await one.settle()
    before = await revisions(database)
    assert before.keys() == EXPECTED.keys()
    await other.settle()
    assert await revisions(database) == before
    assert await stored(database) == EXPECTED


@pytest.mark.parametrize("stream", HISTORY.arrivals)
async def test_what_rests_on_a_stream_is_made_again_when_it_is_heard_of_and_goes_on(database: Any, stream: str):
    *earlier, last = HISTORY.arrivals[stream]
    for events in ([each for each in HISTORY.all() if each not in HISTORY.arrivals[stream]], earlier, [last]):
        await a_projection(database)[0].take(events)
    assert await stored(database) == EXPECTED


async def test_what_other_code_made_is_made_again(database: Any):
    projection, traces = a_projection(database)
    await projection.take(HISTORY.all())
    await database.traces.update_many({}, {"$set": {"shape": 0, "mandates": []}})
    await traces.prepare()
    assert await stored(database) == EXPECTED


async def test_what_has_no_account_of_what_it_was_made_of_is_made_again(database: Any):
    projection, _ = a_projection(database)
    await projection.take(HISTORY.all())
    await database.traces.update_many({}, {"$unset": {"made_of": 1}, "$set": {"mandates": []}})
    await projection.take(HISTORY.all())
    assert await stored(database) == EXPECTED

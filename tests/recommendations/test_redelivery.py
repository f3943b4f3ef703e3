"""Redelivered records and other instances' writes end in the same bytes, and fold nothing twice without need."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4

import pytest
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase

from services.recommendations.app import INDEXES
from shared.events.catalogue import Recorded
from shared.projection.projector import Projector
from shared.projection.revisioned_collection import RevisionedCollection, Written
from shared.store.indexes import ensure
from tests.recommendations.test_interleavings import EXPECTED, HISTORY, a_projector, stored
from tools.local.stack import Stack

pytestmark = pytest.mark.servers


@pytest.fixture
async def database(servers: Stack) -> AsyncIterator[AsyncIOMotorDatabase[Any]]:
    """A database of this test's own."""
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(servers.mongodb_admin_uri)
    own = client[f"redelivery_{uuid4().hex}"]
    await ensure(own, INDEXES)
    yield own
    await client.drop_database(own.name)
    client.close()


def journal_reads(projector: Projector) -> list[set[str]]:
    """Return a list that receives the streams of each read by which streams are folded from the journal.

    Reads of initiatives alone are those that look up the traces beside them.
    """
    reads: list[set[str]] = []
    after = projector.journal.after

    async def listed(versions: Mapping[str, int]) -> Any:
        if not all(stream.startswith("initiative/") for stream in versions):
            reads.append(set(versions))
        return await after(versions)

    projector.journal.after = listed  # type: ignore[method-assign]
    return reads


async def test_redelivered_records_are_composed_and_no_state_is_stored_again(database: Any):
    await a_projector(database)[0].project(HISTORY.all())
    await database.traces.delete_many({})
    before = await database.states.find().to_list(None)
    await a_projector(database)[0].project(HISTORY.all())
    assert await stored(database) == EXPECTED
    assert await database.states.find().to_list(None) == before


async def test_a_state_that_another_instance_stored_meanwhile_is_folded_from_the_journal(database: Any):
    one, other = a_projector(database)[0], a_projector(database)[0]
    reads = journal_reads(one)
    stream, events = next(iter(HISTORY.records.items()))
    await one.consume([record for record in HISTORY.all() if record != events[-1]])
    await other.project(events)
    await one.flush()
    assert reads == [{stream}]
    assert await stored(database) == EXPECTED


async def test_two_instances_that_consumed_the_same_records_both_flush_them(database: Any):
    one, other = a_projector(database)[0], a_projector(database)[0]
    reads = journal_reads(one)
    await one.consume(HISTORY.all())
    await other.project(HISTORY.all())
    await one.flush()
    assert reads == []
    assert await stored(database) == EXPECTED


@pytest.mark.parametrize("stream", HISTORY.records)
async def test_traces_are_composed_again_when_a_stream_they_rest_on_arrives_and_continues(database: Any, stream: str):
    *earlier, last = HISTORY.records[stream]
    for events in ([each for each in HISTORY.all() if each not in HISTORY.records[stream]], earlier, [last]):
        await a_projector(database)[0].project(events)
    assert await stored(database) == EXPECTED


async def test_a_trace_of_another_shape_is_composed_again(database: Any):
    projector, traces = a_projector(database)
    await projector.project(HISTORY.all())
    await database.traces.update_many({}, {"$set": {"shape": 0, "mandates": []}})
    await traces.prepare()
    assert await stored(database) == EXPECTED


async def test_a_state_that_another_version_stored_is_read_as_this_one_folds_it(database: Any):
    projector, _ = a_projector(database)
    await projector.project(HISTORY.all())
    expected = await projector.states.read(HISTORY.records)
    await database.states.update_many({}, {"$inc": {"shape": 1}, "$set": {"state": "{}"}})
    other, traces = a_projector(database)
    assert await other.states.read(HISTORY.records) == expected
    await traces.store(EXPECTED)
    assert await stored(database) == EXPECTED


async def test_a_state_of_another_version_whose_events_are_others_is_unknown(database: Any):
    projector, _ = a_projector(database)
    await projector.project(HISTORY.all())
    stream = next(iter(HISTORY.records))
    await database.states.update_one({"_id": stream}, {"$inc": {"shape": 1}, "$set": {"hash": "0" * 64}})
    assert await a_projector(database)[0].states.known(stream) is None


async def test_a_state_whose_last_event_only_a_newer_version_knows_is_read_up_to_there(database: Any):
    projector, _ = a_projector(database)
    await projector.project(HISTORY.all())
    stream, events = next((stream, events) for stream, events in HISTORY.records.items() if len(events) > 2)
    place = {"_id": {"s": stream, "v": len(events)}}
    known = (await database.journal.find_one(place))["raw"]
    await database.journal.update_one(place, {"$set": {"raw": known.replace(b'.v1"', b'.v99"')}})
    await database.states.update_one({"_id": stream}, {"$inc": {"shape": 1}})
    newest = await database.states.find_one({"_id": stream})
    other = a_projector(database)[0]
    assert (await other.states.read([stream]))[stream].version == len(events) - 1
    await other.project(events[:-1])
    assert await database.states.find_one({"_id": stream}) == newest


async def test_a_journalled_event_that_only_a_newer_version_knows_stalls_its_stream_alone(database: Any):
    (stream, (*earlier, last)), (other, others) = [item for item in HISTORY.records.items() if len(item[1]) > 2][:2]
    await a_projector(database)[0].project([*earlier, *others[:-1]])
    place = {"_id": {"s": stream, "v": 2}}
    known = (await database.journal.find_one(place))["raw"]
    await database.journal.update_one(place, {"$set": {"raw": known.replace(b'.v1"', b'.v99"')}})
    await database.states.update_one({"_id": stream}, {"$inc": {"shape": 1}})
    projector = a_projector(database)[0]
    await projector.project([last, others[-1]])
    assert await projector.stalled() == {stream: 2}
    heads = await projector.states.heads([stream, other])
    assert [heads[each].version for each in (stream, other)] == [1, len(others)]


async def test_what_earlier_code_stored_without_its_order_is_stored_again_at_a_start(database: Any):
    projector, traces = a_projector(database)
    await projector.project(HISTORY.all())
    for collection in (database.traces, database.states):
        await collection.update_many({}, {"$unset": {"order": 1}})
    restarted, traces = a_projector(database)
    await restarted.prepare()
    await traces.prepare()
    assert await stored(database) == EXPECTED
    listed = [trace["_id"] for trace in await traces.find({}, 10, None)]
    states = await restarted.states.listed("recommendation", {}, 10)
    assert [f"recommendation/{reference}" for reference in listed] == [folded.stream for folded in states]
    assert await database.states.count_documents({"order": {"$exists": False}}) == 0


async def test_a_policy_runs_again_on_events_that_a_restored_database_lacks(database: Any):
    class Noted:
        def __init__(self) -> None:
            self.events: list[tuple[str, int]] = []

        def handles(self, event: Recorded) -> bool:
            return event.streamversion == 1

        async def react(self, event: Recorded) -> None:
            self.events.append((event.subject, event.streamversion))

    stream, events = next(each for each in HISTORY.records.items() if len(each[1]) > 3)
    before, after = Noted(), Noted()
    projector = a_projector(database)[0]
    projector.policies = before
    await projector.project(events[:2])
    await projector.consume(events[2:4])
    for name in ("journal", "states", "traces", "dead_letters"):
        await database[name].delete_many({})
    await projector.flush()
    restarted = a_projector(database)[0]
    restarted.policies = after
    await restarted.project(events)
    assert before.events == after.events == [(stream, 1)]


async def test_a_document_is_replaced_only_at_the_revision_before_its_own(database: Any):
    collection = RevisionedCollection(database.documents)
    assert await collection.replace([]) == Written(set(), {})
    assert await collection.replace([{"_id": name, "revision": 1} for name in "abc"]) == Written(set(), {})
    writes = [
        {"_id": "a", "revision": 2, "text": "replaced"},
        {"_id": "b", "revision": 1, "text": "stored before"},
        {"_id": "c", "revision": 3, "text": "ahead"},
        {"_id": "d", "revision": 1, "text": "new"},
        {"_id": "e", "revision": 4, "text": "gone from a restored database"},
    ]
    assert await collection.replace(writes) == Written({"b", "c", "e"}, {})
    rows = {row["_id"]: (row["revision"], row.get("text")) async for row in database.documents.find()}
    assert rows == {"a": (2, "replaced"), "b": (1, None), "c": (1, None), "d": (1, "new")}

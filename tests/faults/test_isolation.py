"""G11: what cannot be folded, composed or stored stops its own stream or trace, with a reason, and no other."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from bson import encode
from more_itertools import chunked
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import WriteConcern
from pymongo.errors import ConnectionFailure, PyMongoError

from services.recommendations import composing
from services.recommendations.projection import AGGREGATES
from services.recommendations.trace import trace_bytes
from shared.domain.aggregate import Aggregate
from shared.domain.facts import Fact
from shared.events import recommendations as r
from shared.projection.rebuild import rebuild
from shared.projection.revisioned_collection import RevisionedCollection
from shared.projection.state_document import STATE_LIMIT
from tests.faults.reading import Reading, a_reading
from tests.history import History, a_history
from tests.proofs import TRUST
from tools.local.stack import Stack
from tools.replay.comparison import Rebuilt, compare, rebuilt_from
from tools.replay.history import History as Records

pytestmark = pytest.mark.servers

LARGE = "recommendation/SYN/2031/R1"
REFERENCE = "SYN/2031/R1"
ON_RECORD = 12
FOLLOW_UPS = 300
LONG_NOTE = "\u20ac" * 19_000
"""57,000 bytes."""


def with_long_follow_ups(history: History, count: int = FOLLOW_UPS, stream: str = LARGE) -> History:
    """Report follow-ups past the limit of a stream, as a store of before the limit may hold them."""
    follow_up = r.FollowUpReported(progress="under_implementation", note=LONG_NOTE, on="2021")
    return history.add(stream, *[follow_up] * count)


def replayed(history: History) -> Rebuilt:
    records = Records()
    for record in history.all():
        records.take(record, TRUST)
    return rebuilt_from(records)


def bytes_of(rebuilt: Rebuilt) -> dict[str, bytes]:
    return {reference: trace_bytes(trace) for reference, trace in rebuilt.traces.items()}


async def expect_live_as_replayed(reading: Reading, history: History) -> None:
    """Expect the same traces and stops live, replayed, rebuilt in place, and after a restart."""
    rebuilt = replayed(history)
    stopped = await reading.projector.stalled_because()
    for step in ("live", "rebuilt", "restarted"):
        if step == "rebuilt":
            assert [_ async for _ in rebuild(reading.projector)]
        elif step == "restarted":
            reading = await reading.restarted()
        traces = {each["_id"]: each async for each in reading.database.traces.find({"fault": {"$exists": False}})}
        assert {reference: trace_bytes(trace) for reference, trace in traces.items()} == bytes_of(rebuilt), step
        assert await reading.projector.stalled_because() == stopped, step
        verdict = compare(traces, rebuilt, traces)
        assert verdict.holds, step
        assert verdict.faults == rebuilt.faults, step


async def test_a_state_too_large_for_a_document_stops_its_stream_and_no_other(servers: Stack):
    history = with_long_follow_ups(a_history())
    small = a_history().traces()
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.projector.project(history.records.pop(LARGE) + history.all())
        assert await reading.projector.stalled() == {LARGE: (await reading.version(LARGE)) + 1}
        assert ON_RECORD + 250 < await reading.version(LARGE) < ON_RECORD + FOLLOW_UPS
        (reason,) = (await reading.projector.stalled_because()).values()
        assert f"at most {STATE_LIMIT} are stored" in reason
        stored = await reading.stored()
        assert {reference: stored[reference] for reference in small.keys() - {REFERENCE}} == {
            reference: trace for reference, trace in small.items() if reference != REFERENCE
        }


async def test_live_rebuild_replay_and_restart_stop_a_large_stream_at_the_same_version(servers: Stack):
    history = with_long_follow_ups(a_history())
    async with a_reading(servers.mongodb_admin_uri) as reading:
        for batch in chunked(history.all(), 47):
            await reading.projector.project(batch)
        await expect_live_as_replayed(reading, history)
        assert len(replayed(history).stalled) == 1


async def test_a_further_event_takes_a_stopped_stream_up_again(servers: Stack):
    history = with_long_follow_ups(a_history())
    shorter = {"progress": "under_implementation", "note": "Synthetic, shorter", "on": "2021"}
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.projector.project(history.all())
        assert await reading.projector.stalled()
        known = len(history.records[LARGE])
        history.add(
            LARGE,
            *[
                r.RecordCorrected(corrects=version, data=shorter, reason="Synthetic: too long")
                for version in range(20, 60)
            ],
        )
        await reading.projector.project(history.records[LARGE][known:])
        assert await reading.projector.stalled_because() == {}
        assert await reading.version(LARGE) == known + 40
        await expect_live_as_replayed(reading, history)


def breaking(aggregate: Aggregate[Any], stream: str, version: int) -> Aggregate[Any]:
    """Return an aggregate whose code cannot fold one event."""

    def evolve(state: Any, fact: Fact) -> Any:
        if (fact.stream, fact.versions[0]) == (stream, version):
            raise LookupError("Synthetic: a name that must not be shown")
        return aggregate.evolve(state, fact)

    return replace(aggregate, evolve=evolve)


@pytest.mark.parametrize("one_by_one", [False, True])
async def test_a_fold_that_raises_stops_its_stream_and_newer_code_takes_it_up_again(
    servers: Stack, monkeypatch: pytest.MonkeyPatch, one_by_one: bool
):
    history = a_history()
    async with a_reading(servers.mongodb_admin_uri) as reading:
        with monkeypatch.context() as older:
            older.setitem(AGGREGATES, "instrument", breaking(AGGREGATES["instrument"], "instrument/i1", 3))
            for batch in [[each] for each in history.all()] if one_by_one else [history.all()]:
                await reading.projector.project(batch)
            assert await reading.projector.stalled() == {"instrument/i1": 3}
            (reason,) = (await reading.projector.stalled_because()).values()
            assert "raised LookupError" in reason
            assert "a name" not in reason
            await expect_live_as_replayed(reading, history)
        reading = await reading.restarted()
        assert await reading.projector.stalled_because() == {}
        assert await reading.stored() == history.traces()


async def test_a_compose_that_raises_stops_its_trace_and_newer_code_takes_it_up_again(
    servers: Stack, monkeypatch: pytest.MonkeyPatch
):
    history = a_history()
    compose = composing.compose

    def breaks(reference: str, *rest: Any) -> Any:
        if reference == REFERENCE:
            raise LookupError("Synthetic: a name that must not be shown")
        return compose(reference, *rest)

    async with a_reading(servers.mongodb_admin_uri) as reading:
        with monkeypatch.context() as older:
            older.setattr(composing, "compose", breaks)
            await reading.projector.project(history.all())
            assert (await reading.projector.stalled_because()).keys() == {LARGE}
            await expect_live_as_replayed(reading, history)
            for at in ((date(2040, 1, 1), None), (None, "2040-01-01T00:00:00.000Z")):
                assert (await reading.traces.at(REFERENCE, *at) or {}).keys() == {"fault"}
        reading = await reading.restarted()
        assert await reading.projector.stalled_because() == {}
        assert await reading.stored() == history.traces()


async def test_a_trace_of_several_streams_that_is_too_large_is_listed_and_others_are_current(
    servers: Stack, monkeypatch: pytest.MonkeyPatch
):
    history = with_long_follow_ups(a_history(), count=150)
    monkeypatch.setattr(composing, "TRACE_LIMIT", 5_000_000)
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.projector.project(history.all())
        assert await reading.projector.stalled() == {}
        reasons = await reading.projector.stalled_because()
        assert reasons.keys() == {LARGE}
        assert "at most 5000000 are stored" in reasons[LARGE]
        assert [trace["_id"] for trace in await reading.traces.find({}, 10, None)] == ["SYN/2031/R2"]
        assert replayed(history).faults.keys() == {REFERENCE}
        await expect_live_as_replayed(reading, history)


@pytest.mark.parametrize("collection", ["states", "traces"])
async def test_a_document_that_the_database_refuses_stops_no_other(servers: Stack, collection: str):
    history = a_history()
    refused = {
        "states": {"_id": LARGE, "version": {"$gt": 2}},
        "traces": {"_id": REFERENCE, "coverage": {"$exists": True}},
    }[collection]
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.database.command("collMod", collection, validator={"$nor": [refused]})
        await reading.projector.project(history.all())
        reasons = await reading.projector.stalled_because()
        assert reasons.keys() == {LARGE}
        assert "MongoDB refuses its document with error 121" in reasons[LARGE]
        assert (await reading.stored())["SYN/2031/R2"] == history.traces()["SYN/2031/R2"]
        await reading.database.command("collMod", collection, validator={})
        reading = await reading.restarted()
        assert await reading.projector.stalled_because() == {}
        assert await reading.stored() == history.traces()


async def test_a_failing_server_stops_the_batch_and_is_no_fault_of_a_document(servers: Stack):
    async with a_reading(servers.mongodb_admin_uri) as reading:
        too_safe = reading.database.documents.with_options(write_concern=WriteConcern(w=2, wtimeout=50))
        with pytest.raises(PyMongoError):
            await RevisionedCollection(too_safe).replace([{"_id": "first", "revision": 1}])
        client: AsyncIOMotorClient[Any] = AsyncIOMotorClient("mongodb://127.0.0.1:9/", serverSelectionTimeoutMS=50)
        unreachable = client["nowhere"]["documents"]
        with pytest.raises(ConnectionFailure):
            await RevisionedCollection(unreachable).replace([{"_id": "large", "revision": 1, "text": "x" * 17_000_000}])


async def test_a_document_that_cannot_be_sent_stops_no_other(servers: Stack):
    async with a_reading(servers.mongodb_admin_uri) as reading:
        collection = RevisionedCollection(reading.database.documents)
        assert await collection.replace([{"_id": "grown", "revision": 1}]) == (set(), {})
        limit, overhead = 16 * 2**20, len(encode({"_id": "grown", "revision": 2, "text": ""}))
        written = await collection.replace(
            [
                {"_id": "first", "revision": 1},
                {"_id": "large", "revision": 1, "text": "x" * (limit + 50_000)},
                {"_id": "barely", "revision": 1, "text": "x" * (limit - overhead - 100)},
                {"_id": "grown", "revision": 2, "text": "x" * (limit - overhead + 1)},
                {"_id": "number", "revision": 1, "number": 2**70},
                {"_id": "surrogate", "revision": 1, "text": "\ud800"},
                {"_id": "last", "revision": 1},
            ]
        )
        assert written.lost == set()
        assert written.refused.keys() == {"large", "grown", "number", "surrogate"}
        stored = [row["_id"] async for row in reading.database.documents.find({"text": {"$exists": False}})]
        assert sorted(stored) == ["first", "grown", "last"]

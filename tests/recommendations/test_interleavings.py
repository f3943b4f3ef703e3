"""Whatever the interleaving, the duplicates, the crashes and the restarts, the traces end the same, byte for byte."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase

from services.recommendations import projection as reading
from services.recommendations.app import INDEXES
from services.recommendations.projection import AGGREGATES, STATES_SHAPE, Traces
from services.recommendations.trace import trace_bytes
from shared.consumer.dead_letters import DeadLetters
from shared.consumer.record import KafkaRecord
from shared.events import recommendations as r
from shared.projection import write_buffer
from shared.projection.journal import Journal
from shared.projection.projector import Projector
from shared.projection.rebuild import rebuild
from shared.projection.state_store import StateStore
from shared.store.indexes import ensure
from tests.history import History, a_history, replayed, with_initiatives, with_texts
from tests.proofs import TRUST, a_decoder
from tools.local.stack import Stack
from tools.replay.replayer import Replayer


def with_voids(history: History) -> History:
    """Add voids of a fact, a correction, a re-adoption, a lineage note, of voids, and of whole streams."""

    def void(version: int) -> r.RecordVoided:
        return r.RecordVoided(voids=version, reason="Synthetic mistake")

    history.add("recommendation/SYN/2031/R1", r.FollowUpReported(progress="unknown"), void(13), void(10), void(15))
    revised = r.RecommendationRevised(text="Synthetic text, revised by mistake")
    history.add("recommendation/SYN/2031/R9", void(7), void(13), void(11), void(15), revised, void(17))
    for number, closing in ((4, {"by": "SYN/2031/R5"}), (5, {"supersedes": "SYN/2031/R4"})):
        drafted = r.RecommendationDrafted(reference=f"SYN/2031/R{number}", title=f"Synthetic {number}")
        noted = r.RecommendationSuperseded.model_validate(closing)
        history.add(f"recommendation/SYN/2031/R{number}", drafted, noted, void(2), void(3), void(4))
    drafted = r.RecommendationDrafted(reference="SYN/2031/R3", title="Synthetic 3")
    history.add("recommendation/SYN/2031/R3", drafted, r.MandateCited(instrument="i2", provision="i2/a"), void(1))
    history.add("instrument/i3", void(1), void(4))
    return history.add("instrument/i2", void(2))


HISTORY = with_initiatives(with_voids(with_texts(a_history())))
EXPECTED = HISTORY.traces()


class Crash(Exception):
    """An injected failure."""


def a_projector(database: AsyncIOMotorDatabase[Any]) -> tuple[Projector, Traces]:
    """Return the reading side of the service, as another instance or after a restart."""
    states, journal = StateStore(database, AGGREGATES, STATES_SHAPE), Journal(database)
    traces = Traces(database, states, journal)
    return Projector(journal, states, DeadLetters(database, "recommendations"), a_decoder(), traces.compose_for), traces


def crashing(projector: Projector, step: str) -> Projector:
    """Return a projector that fails before, or after, one of its steps."""
    if step == "before compose":
        projector.compose = _fail
    elif step == "after journal":
        insert = projector.journal.insert

        async def insert_and_fail(events: Any) -> Any:
            await insert(events)
            raise Crash

        projector.journal.insert = insert_and_fail  # type: ignore[method-assign]
    elif step == "after states":
        write = projector.states.write

        async def write_and_fail(states: Any) -> Any:
            await write(states)
            raise Crash

        projector.states.write = write_and_fail  # type: ignore[method-assign]
    return projector


async def _fail(_streams: set[str]) -> None:
    raise Crash


STEPS = ("none", "none", "before compose", "after journal", "after states")


def an_order(seed: int, *, by_stream: bool, twice: int = 8) -> list[KafkaRecord]:
    """Return the records in a random order: each stream's own order kept, or none at all; some of them twice."""
    choose = random.Random(seed)
    if by_stream:
        queues = [list(records) for records in HISTORY.records.values()]
        order = []
        while queues:
            queue = choose.choice(queues)
            order.append(queue.pop(0))
            queues = [q for q in queues if q]
    else:
        order = choose.sample(HISTORY.all(), len(HISTORY.all()))
    for duplicate in choose.sample(order, twice):
        order.insert(choose.randrange(len(order)), duplicate)
    return order


def in_batches(seed: int, order: Sequence[KafkaRecord]) -> list[list[KafkaRecord]]:
    """Cut an order into batches of random sizes."""
    choose, remaining, batches = random.Random(seed), list(order), []
    while remaining:
        size = choose.choice([1, 2, 3, 5, 8, 20])
        batches.append(remaining[:size])
        remaining = remaining[size:]
    return batches


async def stored(database: AsyncIOMotorDatabase[Any]) -> dict[str, bytes]:
    """Return the compared bytes of the traces that are stored."""
    return {trace["_id"]: trace_bytes(trace) async for trace in database.traces.find()}


async def _end(uri: str, seed: int, by_stream: bool, instances: int, rebuilt: bool) -> dict[str, bytes]:
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(uri)
    name = f"interleaving_{uuid4().hex}"
    try:
        database = client[name]
        await ensure(database, INDEXES)
        batches = in_batches(seed, an_order(seed, by_stream=by_stream))
        lines = [batches[n::instances] for n in range(instances)]
        reading = [_read(database, line, random.Random(seed + n)) for n, line in enumerate(lines)]
        await asyncio.gather(*reading, *([_rebuild(database)] if rebuilt else []))
        return await stored(database)
    finally:
        await client.drop_database(name)
        client.close()


async def _read(database: AsyncIOMotorDatabase[Any], batches: list[list[KafkaRecord]], choose: random.Random) -> None:
    """Consume batches as one instance does: flush some together; after a failure a new process consumes all again."""
    remaining = iter(batches)
    while group := list(itertools.islice(remaining, choose.choice([1, 1, 2, 5]))):
        for _ in itertools.count():
            write_buffer.STATES_HELD = choose.choice([1, 3, 3_000])
            reading.TRACES_PER_CHUNK = choose.choice([1, 100])
            projector = crashing(a_projector(database)[0], choose.choice(STEPS))
            try:
                for batch in group:
                    await projector.consume(batch)
                await projector.flush()
                break
            except Crash:
                continue


async def _rebuild(database: AsyncIOMotorDatabase[Any]) -> None:
    """Rebuild again and again while others read."""
    for _ in range(5):
        async for _ in rebuild(a_projector(database)[0]):
            await asyncio.sleep(0)


@pytest.mark.servers
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    by_stream=st.booleans(),
    instances=st.sampled_from([1, 1, 2, 3]),
    rebuilt=st.booleans(),
)
def test_every_interleaving_with_duplicates_crashes_and_rebuilds_ends_in_the_same_bytes(
    servers: Stack, seed: int, by_stream: bool, instances: int, rebuilt: bool
):
    assert asyncio.run(_end(servers.mongodb_admin_uri, seed, by_stream, instances, rebuilt)) == EXPECTED


@pytest.mark.internals
@pytest.mark.servers
async def test_a_rebuild_makes_whole_what_is_missing_or_wrong(servers: Stack, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "TRACES_PER_CHUNK", 1)
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(servers.mongodb_admin_uri)
    database = client[f"rebuilt_{uuid4().hex}"]
    try:
        projector, _ = a_projector(database)
        await ensure(database, INDEXES)
        await projector.project(HISTORY.all())
        await database.traces.update_many({}, {"$set": {"mandates": []}})
        await database.states.delete_many({"kind": "meeting"})
        progress = [each async for each in rebuild(a_projector(database)[0])]
        assert progress[-1] == (len(HISTORY.all()), len(HISTORY.all()))
        assert await stored(database) == EXPECTED
    finally:
        await client.drop_database(database.name)
        client.close()


@given(seed=st.integers(0, 2**32))
def test_the_order_between_streams_means_nothing_in_memory(seed: int):
    assert replayed(an_order(seed, by_stream=True, twice=0)) == EXPECTED


def test_the_history_exercises_what_makes_folding_hard():
    first, second = EXPECTED["SYN/2031/R1"], EXPECTED["SYN/2031/R2"]
    assert b'"outcome":"endorsed"' in first and b'"standing":"merged"' in first  # noqa: PT018
    assert b'"reconfirmed"' in first and b"Synthetic meeting" in first  # noqa: PT018
    assert b'"absorbs"' in second and b'"uncited"' in second  # noqa: PT018
    ninth = EXPECTED["SYN/2031/R9"]
    assert b'"clerical":true' in ninth and b'"standing":"disposed"' in ninth  # noqa: PT018
    assert ninth.count(b'"transmission":1') == 2, "the later transmission was deferred, then endorsed"
    assert b'"progress":"unknown"' not in first
    assert b"by mistake" not in ninth
    assert b'"text_version":6' in ninth, "adopted anew, and so again by the void of a void"
    assert b'"standing":"void"' in EXPECTED["SYN/2031/R3"]
    assert all(b'"lineage":{}' in EXPECTED[f"SYN/2031/R{number}"] for number in (4, 5))
    assert [trace.count(b'"initiative":') for trace in (first, second, ninth)] == [0, 1, 2]
    assert b'["initiative/n2",2' in first


def test_the_history_on_disk_is_replayed_to_the_same_bytes():
    for processes in (1, 2):
        with Replayer(trust=TRUST) as replaying:
            for record in HISTORY.all():
                replaying.add_record(record)
            assert dict(replaying.run(lambda _, trace: trace_bytes(trace), processes)) == EXPECTED

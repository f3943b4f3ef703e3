"""Cached states are used only where the store still holds their stream; concurrent appends succeed or fail alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from services.recommendations.commands import RegisterInstrument, RegisterProvision
from services.recommendations.projection import OWN
from shared.domain.aggregate import Command, Context
from shared.domain.rejections import Rejection
from shared.events.recommendations import ProvisionRegistered
from shared.store.command_handler import CommandHandler
from shared.store.event_store import INDEXES, Commit, Conflict, EventStore, StoreFenced
from shared.store.indexes import ensure
from shared.store.refusals import Refusals
from tests.faults.relaying import Site, a_site
from tools.local.stack import Stack

pytestmark = [pytest.mark.servers, pytest.mark.internals]
STREAM = "instrument/synthetic"
STREAMS = [f"instrument/s{n}" for n in range(64)]


class Office:
    """One instance of a service: its store and its cached states."""

    def __init__(self, site: Site) -> None:
        self.database, self.store = site.database, EventStore(site.database)
        self._commands = CommandHandler(self.store, Refusals(site.database), OWN, self._look_up)

    async def register(self, *provisions: str) -> list[int]:
        """Register an instrument if there is none, then provisions; return the version after each."""
        await ensure(self.database, INDEXES)
        named = RegisterInstrument(instrument="synthetic", cite="Synthetic 1", body="Synthetic", title="Synthetic")
        versions = [] if (await self.store.read(STREAM))[1] else [await self.execute(named)]
        return versions + [await self.register_one(provision) for provision in provisions]

    async def register_one(self, provision: str) -> int:
        return await self.execute(RegisterProvision(provision=provision, summary="Synthetic"))

    async def execute(self, command: Command) -> int:
        outcome = await self._commands.handle(STREAM, command, context())
        assert isinstance(outcome, Commit), outcome
        return outcome.last

    async def refuses(self, provision: str) -> bool:
        command = RegisterProvision(provision=provision, summary="Synthetic")
        return isinstance(await self._commands.handle(STREAM, command, context()), Rejection)

    async def _look_up(self, _stream: str) -> None:
        raise AssertionError("these commands need no foreign fact")


def context() -> Context:
    return Context(datetime.now(UTC), "synthetic-actor", "secretariat", str(uuid4()), "synthetic")


def added(number: int = 0) -> list[Any]:
    return [ProvisionRegistered(provision=f"p{number}", summary="Synthetic")]


async def test_a_decision_rests_on_the_commits_of_other_instances_too(servers: Stack):
    async with a_site(servers) as site:
        one, other = Office(site), Office(site)
        assert await one.register("p1") == [1, 2]
        assert await other.register("p2") == [3]
        assert await one.refuses("p2")
        assert await one.register("p3") == [4]


async def test_a_store_rolled_back_under_a_running_service_gets_no_gap(servers: Stack):
    async with a_site(servers) as site:
        office = Office(site)
        assert await office.register("p1", "p2") == [1, 2, 3]
        await site.database.commits.delete_one({"_id": {"s": STREAM, "v": 3}})
        assert await office.register("p3") == [3]
        assert not await office.refuses("p2")


async def test_a_decision_rests_on_the_stored_commit_not_the_cached_one(servers: Stack):
    async with a_site(servers) as site:
        office, other = Office(site), Office(site)
        assert await office.register("p1", "p2") == [1, 2, 3]
        await site.database.commits.delete_one({"_id": {"s": STREAM, "v": 3}})
        assert await other.register("p9") == [3]
        assert await office.refuses("p9")
        assert await office.register("p2") == [4]
        _, recorded = await office.store.read(STREAM)
        assert [event.data.provision for event in recorded[1:]] == ["p1", "p9", "p2"]  # type: ignore[attr-defined]


async def test_appends_of_one_batch_succeed_or_fail_alone(servers: Stack):
    async with a_site(servers) as site:
        store = EventStore(site.database)
        await ensure(site.database, INDEXES)
        heads = [(await store.read(stream))[0] for stream in STREAMS]
        twice = [*heads, *heads[:8]]
        outcomes = await asyncio.gather(
            *(store.append(head, added(), context(), "0" * 64) for head in twice), return_exceptions=True
        )
        assert sum(isinstance(outcome, Commit) for outcome in outcomes) == len(STREAMS)
        assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 8
        assert await site.database.commits.count_documents({}) == len(STREAMS)


async def test_a_command_appended_twice_in_one_batch_happens_once(servers: Stack):
    async with a_site(servers) as site:
        store, command = EventStore(site.database), context()
        await ensure(site.database, INDEXES)
        heads = [(await store.read(stream))[0] for stream in STREAMS[:20]]
        outcomes = await asyncio.gather(*(store.append(head, added(), command, "0" * 64) for head in heads))
        assert [outcome.replayed for outcome in outcomes].count(False) == 1
        assert len({outcome.events for outcome in outcomes}) == 1


async def test_a_queued_append_fails_once_the_store_is_fenced(servers: Stack):
    async with a_site(servers) as site:
        store = EventStore(site.database)
        await ensure(site.database, INDEXES)
        heads = [(await store.read(stream))[0] for stream in STREAMS[:3]]
        first = asyncio.create_task(store.append(heads[0], added(), context(), "0" * 64))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        later = [asyncio.create_task(store.append(head, added(), context(), "0" * 64)) for head in heads[1:]]
        store.fence("it may be an older one")
        outcomes = await asyncio.gather(first, *later, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes[1:]] == [StoreFenced] * 2
        assert await site.database.commits.count_documents({"_id.s": {"$in": STREAMS[1:3]}}) == 0


async def test_a_head_with_other_bytes_is_not_the_end_of_its_stream(servers: Stack):
    async with a_site(servers) as site:
        store = EventStore(site.database)
        await ensure(site.database, INDEXES)
        head, _ = await store.read(STREAM)
        await store.append(head, added(1) + added(2), context(), "0" * 64)
        head, _ = await store.read(STREAM)
        heads = [head, replace(head, hash="1" * 64), replace(head, version=1), replace(head, first=2)]
        assert await asyncio.gather(*map(store.ends_at, heads)) == [True, False, False, False]

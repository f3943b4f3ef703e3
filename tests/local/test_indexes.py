"""Collections and indexes: created by a command, never by a service, which does not start where one differs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
import yaml
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase
from pymongo import MongoClient
from pymongo.database import Database

from shared.runtime import database_watch
from shared.runtime.database_watch import DatabaseWatch
from shared.runtime.telemetry import Pulse
from shared.store.event_store import EventStore
from shared.store.indexes import differences, ensure
from tests.cli.terminal import output_of, throughline
from tests.patience import AT_MOST_SECONDS
from tools.client.indexes import declared
from tools.deployment import grants
from tools.local.stack import ALL_FOUR, Stack

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("throughline names")]

INDEXES = declared("recommendations")
TTL = {"name": "ttl", "expireAfterSeconds": 0}


@pytest.fixture
async def database(servers: Stack) -> AsyncIterator[AsyncIOMotorDatabase[Any]]:
    """A database of this test's own, as declared."""
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(servers.mongodb_admin_uri)
    own = client[f"indexes_{uuid4().hex}"]
    assert await ensure(own, INDEXES) == []
    yield own
    await client.drop_database(own.name)
    client.close()


@pytest.fixture
def meetings(servers: Stack) -> Iterator[Database[dict[str, Any]]]:
    """The database of the meetings service, for an administrator; afterwards as declared."""
    with MongoClient[dict[str, Any]](servers.mongodb_admin_uri) as client:
        yield client["throughline_meetings"]
        for collection in ("refusals", "commits"):
            client["throughline_meetings"][collection].drop_indexes()
    assert throughline(servers, "indexes", "ensure").exit_code == 0


async def test_ensuring_twice_changes_nothing(database: AsyncIOMotorDatabase[Any]) -> None:
    assert await ensure(database, INDEXES) == []
    assert await differences(database, INDEXES) == []


async def test_an_empty_database_lacks_every_collection(servers: Stack) -> None:
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(servers.mongodb_admin_uri)
    assert len(await differences(client[f"indexes_{uuid4().hex}"], INDEXES)) == len(INDEXES)
    client.close()


@pytest.mark.parametrize("collection", INDEXES)
async def test_a_missing_index_is_named_and_created(database: AsyncIOMotorDatabase[Any], collection: str) -> None:
    for index in INDEXES[collection]:
        name = index.document["name"]
        await database[collection].drop_index(name)
        assert await differences(database, INDEXES) == [f"the index {name} of {collection} is missing"]
        assert await ensure(database, INDEXES) == []


async def test_an_index_that_expires_documents_is_named_and_left(database: AsyncIOMotorDatabase[Any]) -> None:
    await database["refusals"].create_index("at", **TTL)
    [difference] = await ensure(database, INDEXES)
    assert difference.startswith("the index ttl of refusals is ")
    assert "'expireAfterSeconds': 0" in difference
    assert difference.endswith("not declared")


async def test_an_altered_index_is_named(database: AsyncIOMotorDatabase[Any]) -> None:
    await database["commits"].drop_index("command_id")
    await database["commits"].create_index("command_id", name="command_id", expireAfterSeconds=60)
    [difference] = await ensure(database, INDEXES)
    assert "'expireAfterSeconds': 60" in difference
    assert "declared {'key': [('command_id', 1)], 'unique': True}" in difference


@pytest.mark.parametrize("options", [{"capped": True, "size": 4096}, {"validator": {"never": True}}])
async def test_a_collection_with_options_is_named(database: AsyncIOMotorDatabase[Any], options: dict[str, Any]) -> None:
    await database.drop_collection("refusals")
    await database.create_collection("refusals", **options)
    [difference] = await ensure(database, INDEXES)
    assert difference.startswith("refusals is a collection with options {")


async def test_a_view_in_the_place_of_a_collection_is_named(database: AsyncIOMotorDatabase[Any]) -> None:
    await database.drop_collection("refusals")
    await database.create_collection("refusals", viewOn="commits", pipeline=[])
    [difference] = await ensure(database, INDEXES)
    assert difference.startswith("refusals is a view ")


def test_the_rights_name_every_declared_collection_and_no_other() -> None:
    rights = yaml.safe_load(grants.DECLARATION.read_text())
    named = {*rights["insert_only"]["collections"], *rights["read_write"]["collections"]}
    assert named == {collection for service in ALL_FOUR for collection in declared(service)}


async def test_a_watch_names_an_index_that_appears_and_recovers(
    database: AsyncIOMotorDatabase[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_watch, "CHECK_SECONDS", 0.0)
    pulse, clock = Pulse("database"), EventStore(database).clock
    watch = DatabaseWatch("recommendations", clock, partial(differences, database, INDEXES), pulse, 0.3)
    await watch.prepare()
    running = asyncio.create_task(watch.run())
    await until(lambda: pulse.trouble == "")
    await database["refusals"].create_index("at", **TTL)
    await until(lambda: "the index ttl of refusals is" in pulse.trouble)
    assert pulse.silent_for() > 60
    await database["refusals"].drop_index("ttl")
    await until(lambda: pulse.trouble == "")
    running.cancel()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(AT_MOST_SECONDS):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def started(servers: Stack) -> subprocess.CompletedProcess[str]:
    """Start the meetings service, which must end by itself."""
    command = [sys.executable, "-m", "services.meetings.app"]
    environment = servers.environment("meetings")
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=AT_MOST_SECONDS, check=False
    )


def test_a_service_does_not_start_without_an_index_and_names_the_command(
    servers: Stack, meetings: Database[dict[str, Any]]
) -> None:
    meetings["commits"].drop_index("command_id")
    ended = started(servers)
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "The database of meetings is not as declared:",
        "    the index command_id of commits is missing",
        "`throughline indexes ensure meetings` creates what is missing. What is not declared, an administrator drops.",
    ]
    done = throughline(servers, "indexes", "ensure", "meetings")
    assert (done.exit_code, output_of(done)) == (0, "Collections and indexes are as declared: meetings."), done.output
    assert meetings["commits"].index_information()["command_id"]["unique"]


@pytest.mark.drill
def test_a_service_does_not_start_with_an_index_that_expires_its_record(
    servers: Stack, meetings: Database[dict[str, Any]]
) -> None:
    meetings["refusals"].create_index("at", **TTL)
    ended = started(servers)
    assert ended.returncode == 2
    assert "the index ttl of refusals is" in ended.stderr
    done = throughline(servers, "indexes", "ensure")
    assert done.exit_code == 1
    assert "meetings: the index ttl of refusals is" in done.output
    assert "ttl" in meetings["refusals"].index_information()


def test_a_user_without_the_right_is_refused(servers: Stack, meetings: Database[dict[str, Any]]) -> None:
    meetings["commits"].drop_index("command_id")
    done = throughline(servers, "indexes", "ensure", "meetings", "--mongodb", servers.mongodb_uri("meetings"))
    assert done.exit_code == 1
    assert "MongoDB refused: not authorized" in done.output


def test_what_the_command_cannot_use_or_reach() -> None:
    assert throughline(None, "indexes", "ensure", "ministries").exit_code == 2
    assert throughline(None, "indexes", "ensure").exit_code == 3

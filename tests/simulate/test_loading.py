"""The loading of a synthetic history into real stores and through the real services."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database
from typer import Typer
from typer.testing import CliRunner

from services.recommendations.domain.registers import SESSION
from shared.domain.aggregate import Context
from shared.events.catalogue import SERVICES
from shared.events.recommendations import CommitteeSessionRecorded
from shared.store.event_store import EventStore
from tests.cli.terminal import output_of, throughline
from tests.journey.office import Desk
from tools.cli.simulate import simulate
from tools.client import indexes
from tools.client.stack_home import database
from tools.local.stack import Stack
from tools.simulate.commits import SimulatedCommit
from tools.simulate.history import history
from tools.simulate.http_loader import request_of, send
from tools.simulate.store_loader import AlreadyStored, store

pytestmark = pytest.mark.servers
EVENTS = 1_500
Databases = dict[str, Database[dict[str, Any]]]


@pytest.fixture
async def databases(servers: Stack) -> AsyncIterator[Databases]:
    """Four databases for this test only."""
    name = uuid4().hex
    with MongoClient[dict[str, Any]](servers.mongodb_admin_uri) as client:
        names = {service: f"synthetic_{name}_{service}" for service in SERVICES}
        indexes.ensure(servers.mongodb_admin_uri, names)
        yield {service: client[names[service]] for service in SERVICES}
        for each in names.values():
            client.drop_database(each)


async def test_a_service_reads_the_loaded_events_as_its_own(servers: Stack, databases: Databases) -> None:
    commits = list(history(EVENTS, seed=5))
    assert store(commits, databases, lambda _: None) == sum(len(commit.raws) for commit in commits)
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(servers.mongodb_admin_uri)
    expected: dict[tuple[str, str], list[bytes]] = {}
    for commit in commits:
        expected.setdefault((commit.service, commit.stream), []).extend(commit.raws)
    for (service, stream), raws in list(expected.items())[::7]:
        assert await EventStore(client[databases[service].name]).read_bytes(stream) == raws
    client.close()


async def test_a_loaded_commit_has_the_form_of_an_appended_one(servers: Stack, databases: Databases) -> None:
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(servers.mongodb_admin_uri)
    own = EventStore(client[databases["recommendations"].name])
    head, _ = await own.read(SESSION.stream(900))
    context = Context(datetime.now(UTC), "a", "secretariat", "a-command-id", "a-correlation-id")
    await own.append(head, [CommitteeSessionRecorded(session=900)], context, "a-digest")
    client.close()
    appended = databases["recommendations"].commits.find_one()
    store(history(20, seed=5), databases, lambda _: None)
    stored = databases["recommendations"].commits.find_one({"_id.s": {"$ne": "session/900"}})
    assert appended is not None
    assert stored is not None
    assert shape(stored) == shape(appended)


def shape(value: Any) -> Any:
    """Return the names and types in a document."""
    match value:
        case dict():
            return {name: shape(member) for name, member in value.items()}
        case list():
            return [shape(value[0])]
        case _:
            return type(value)


async def test_storing_a_command_again_under_its_own_policy_finds_the_first_result(
    servers: Stack, databases: Databases
) -> None:
    begun = next(commit for commit in history(EVENTS, seed=5) if commit.context.actor == "policy:begin-membership")
    store([begun], databases, lambda _: None)
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(servers.mongodb_admin_uri)
    result = await EventStore(client[databases["nominations"].name]).result_of(
        begun.context, begun.document()["command_digest"]
    )
    client.close()
    assert result is not None
    assert result.events == begun.raws


def test_a_history_is_not_loaded_twice(databases: Databases) -> None:
    store(history(200, seed=5), databases, lambda _: None)
    with pytest.raises(AlreadyStored):
        store(history(200, seed=5), databases, lambda _: None)


@pytest.fixture
def commits_of_stack(servers: Stack) -> Iterator[dict[str, Collection[dict[str, Any]]]]:
    """The commits of each service in the stores of a local stack; afterwards without those of the history."""
    with MongoClient[dict[str, Any]](servers.mongodb_admin_uri) as client:
        stores = {service: client[database(service)].commits for service in SERVICES}
        yield stores
        for service, keys in keys_of_history().items():
            stores[service].delete_many({"_id": {"$in": keys}})


def keys_of_history() -> dict[str, list[dict[str, Any]]]:
    keys: dict[str, list[dict[str, Any]]] = {service: [] for service in SERVICES}
    for commit in history(300, seed=12):
        keys[commit.service].append(commit.document()["_id"])
    return keys


@pytest.mark.xdist_group("throughline names")
def test_the_command_loads_the_stores_of_a_stack_once(
    servers: Stack, commits_of_stack: dict[str, Collection[dict[str, Any]]]
) -> None:
    command = ("simulate", "--events", "300", "--seed", "12", "--into", "store")
    loaded = throughline(servers, *command)
    assert loaded.exit_code == 0, loaded.output
    for service, keys in keys_of_history().items():
        assert commits_of_stack[service].count_documents({"_id": {"$in": keys}}) == len(keys), service
    again = throughline(servers, *command)
    assert (again.exit_code, "already" in output_of(again)) == (1, True), again.output


@pytest.mark.drill
def test_the_services_execute_its_commands(stack: Stack) -> None:
    app = Typer()
    app.command()(simulate)
    done = CliRunner().invoke(app, ["--events", "260", "--seed", "11", "--into", "services", "--home", str(stack.home)])
    assert done.exit_code == 0, done.output
    desk = Desk(stack)
    commits = [commit for commit in history(260, seed=11) if commit.service != "notifications"]
    lasts = {(commit.service, commit.stream): commit.last for commit in commits}
    for (service, stream), last in lasts.items():
        assert desk.query_until(service, f"/streams/{stream}", lambda events, last=last: len(events) >= last)


class Paths:
    """A desk that records requests instead of sending them."""

    def __init__(self) -> None:
        self.sent: dict[str, dict[str, Any]] = {}

    def send(self, _service: str, path: str, body: dict[str, Any], command_id: str) -> int:
        """Record the request."""
        self.sent[command_id] = {"path": path, "body": body}
        return 1


def test_commands_of_policies_are_not_sent() -> None:
    secretariat, chair = Paths(), Paths()
    commits: list[SimulatedCommit] = list(history(3_000, seed=5))
    send(commits, secretariat, chair, lambda _: None)
    sent_ids = {commit.context.command_id for commit in commits if commit.context.role != "system"}
    assert secretariat.sent.keys() | chair.sent.keys() == sent_ids
    assert len(sent_ids) < len(commits)
    assert {sent["path"].rsplit("/", 1)[1] for sent in chair.sent.values()} == {"confirm", "adopt"}


def test_a_request_holds_no_sealed_box() -> None:
    submitted = next(commit for commit in history(600, seed=5) if commit.stream.startswith("nomination/"))
    path, body = request_of(submitted)
    assert path == "/nominations"
    assert "sealed" not in body
    assert body["details"]["name"].startswith("Synthetic ")

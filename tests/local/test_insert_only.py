"""Every way around insert-only, tried as a service's own user: the record can be added to, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from pymongo import DeleteMany, InsertOne, MongoClient
from pymongo.database import Database
from pymongo.errors import BulkWriteError, OperationFailure

from tools.local.stack import Stack

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("throughline names")]

COLLECTIONS = ("commits", "ledger", "checkpoints", "tiles", "refusals", "documents.files", "documents.chunks")
DERIVED = ("journal", "states", "dead_letters", "traces", "relay", "keys", "staff", "progress")
OF_INDEXES = ("index that expires", "unique index", "drop of an index", "capped", "validator", "drop", "view")
OWN = "throughline_meetings"
UNAUTHORIZED = 13
Document = dict[str, Any]
IT = {"synthetic": {"$exists": True}}
SET = {"$set": {"synthetic": "another"}}

COMMANDS: dict[str, Document] = {
    "update": {"update": "IT", "updates": [{"q": IT, "u": SET, "multi": True}]},
    "replace": {"update": "IT", "updates": [{"q": IT, "u": {"synthetic": "another"}}]},
    "upsert": {"update": "IT", "updates": [{"q": {"_id": "new"}, "u": SET, "upsert": True}]},
    "update by pipeline": {"update": "IT", "updates": [{"q": IT, "u": [{"$unset": "synthetic"}]}]},
    "delete": {"delete": "IT", "deletes": [{"q": {}, "limit": 0}]},
    "find and modify": {"findAndModify": "IT", "query": IT, "update": SET},
    "find and remove": {"findAndModify": "IT", "query": IT, "remove": True},
    "out": {"aggregate": "relay", "pipeline": [{"$out": "IT"}], "cursor": {}},
    "out of itself": {"aggregate": "IT", "pipeline": [{"$limit": 1}, {"$out": "IT"}], "cursor": {}},
    "merge that replaces": {
        "aggregate": "IT",
        "pipeline": [{"$set": {"synthetic": "another"}}, {"$merge": {"into": "IT", "whenMatched": "replace"}}],
        "cursor": {},
    },
    "merge that keeps": {
        "aggregate": "IT",
        "pipeline": [{"$merge": {"into": "IT", "whenMatched": "keepExisting"}}],
        "cursor": {},
    },
    "map and reduce": {
        "mapReduce": "relay", "map": "function () {}", "reduce": "function () {}", "out": {"replace": "IT"}
    },
    "index that expires": {
        "createIndexes": "IT", "indexes": [{"key": {"at": 1}, "name": "ttl", "expireAfterSeconds": 0}]
    },
    "unique index": {"createIndexes": "IT", "indexes": [{"key": {"synthetic": 1}, "name": "one", "unique": True}]},
    "drop of an index": {"dropIndexes": "IT", "index": "*"},
    "capped": {"convertToCapped": "IT", "size": 4096},
    "capped copy": {"cloneCollectionAsCapped": "IT", "toCollection": "relay", "size": 4096},
    "validator": {"collMod": "IT", "validator": {"never": True}},
    "expiry of an index": {"collMod": "IT", "index": {"name": "_id_", "expireAfterSeconds": 1}},
    "hidden index": {"collMod": "IT", "index": {"name": "_id_", "hidden": True}},
    "drop": {"drop": "IT"},
    "drop of the database": {"dropDatabase": 1},
    "creation": {"create": "synthetic"},
    "view": {"create": "synthetic", "viewOn": "IT", "pipeline": []},
    "compaction": {"compact": "IT"},
    "own role": {"updateRole": "meetings", "privileges": [], "roles": ["dbOwner"]},
    "another role": {"createRole": "synthetic", "privileges": [], "roles": []},
    "roles of its own": {"grantRolesToUser": "meetings", "roles": ["dbOwner"]},
    "own password": {"updateUser": "meetings", "pwd": "synthetic"},
    "another user": {"createUser": "synthetic", "pwd": "synthetic", "roles": []},
    "drop of its user": {"dropUser": "meetings"},
}  # fmt: skip
OF_THE_SERVER: dict[str, Document] = {
    "rename": {"renameCollection": f"{OWN}.IT", "to": f"{OWN}.synthetic"},
    "rename over it": {"renameCollection": f"{OWN}.relay", "to": f"{OWN}.IT", "dropTarget": True},
    "oplog entry": {"applyOps": [{"op": "d", "ns": f"{OWN}.IT", "o": {"_id": "first"}}]},
    "parameter": {"setParameter": 1, "ttlMonitorSleepSecs": 1},
    "shutdown": {"shutdown": 1},
}


@pytest.fixture(scope="module")
def own(servers: Stack) -> Iterator[Database[Document]]:
    """The database of the meetings service, for that service's own user."""
    with MongoClient[Document](servers.mongodb_uri("meetings")) as client:
        yield client[OWN]


@pytest.fixture(params=COLLECTIONS)
def held(own: Database[Document], request: pytest.FixtureRequest) -> Iterator[str]:
    """An insert-only collection, which must hold afterwards what it held before."""
    collection = own[request.param]
    command = {"command_id": uuid4().hex, "files_id": uuid4().hex, "filename": uuid4().hex}
    collection.insert_one({"_id": f"synthetic-{uuid4().hex}", "synthetic": True, **command})
    before, indexes = list(collection.find().sort("_id", 1)), collection.index_information()
    yield request.param
    assert list(collection.find().sort("_id", 1)) == before
    assert collection.index_information() == indexes


def on(collection: str, value: Any) -> Any:
    """Return a command with the name of a collection in the place of IT."""
    match value:
        case str():
            return value.replace("IT", collection)
        case dict():
            return {name: on(collection, member) for name, member in value.items()}
        case list():
            return [on(collection, member) for member in value]
        case _:
            return value


@pytest.mark.parametrize("way", COMMANDS)
def test_a_service_finds_no_way_around_insert_only(own: Database[Document], held: str, way: str) -> None:
    with pytest.raises(OperationFailure) as refusal:
        own.command(on(held, COMMANDS[way]))
    assert refusal.value.code == UNAUTHORIZED


@pytest.mark.parametrize("way", OF_THE_SERVER)
def test_nor_one_by_the_server(own: Database[Document], held: str, way: str) -> None:
    with pytest.raises(OperationFailure) as refusal:
        own.client.admin.command(on(held, OF_THE_SERVER[way]))
    assert refusal.value.code == UNAUTHORIZED


@pytest.mark.parametrize("way", OF_INDEXES)
@pytest.mark.parametrize("collection", DERIVED)
def test_nor_may_it_alter_a_collection_that_it_rewrites(own: Database[Document], collection: str, way: str) -> None:
    with pytest.raises(OperationFailure) as refusal:
        own.command(on(collection, COMMANDS[way]))
    assert refusal.value.code == UNAUTHORIZED


def test_nor_in_one_message_with_an_insert_or_in_a_transaction(own: Database[Document], held: str) -> None:
    with pytest.raises((OperationFailure, BulkWriteError)):
        own[held].bulk_write([DeleteMany({}), InsertOne({"synthetic": True})])
    with own.client.start_session() as session, pytest.raises(OperationFailure), session.start_transaction():
        own[held].delete_many({}, session=session)


def test_a_merge_that_only_inserts_changes_nothing_that_is_there(own: Database[Document], held: str) -> None:
    merge = {"into": held, "whenMatched": "fail", "whenNotMatched": "insert"}
    with pytest.raises(OperationFailure):
        list(own[held].aggregate([{"$set": {"synthetic": "another"}}, {"$merge": merge}]))


def test_the_server_runs_no_javascript(servers: Stack) -> None:
    with MongoClient[Document](servers.mongodb_admin_uri) as client:
        with pytest.raises(OperationFailure, match=r"(?i)javascript|script"):
            list(client["scratch"]["any"].find({"$where": "true"}))
        assert client.admin.command("getCmdLineOpts")["parsed"]["security"]["javascriptEnabled"] is False
        assert client.server_info()["version"].startswith("6.0.")

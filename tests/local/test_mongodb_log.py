"""No log of MongoDB's repeats what is stored: the key of a person in it would outlive the person's erasure."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from shared.privacy.key_ring import KeyRing
from tests.faults.losing import wait_for
from tools.client.mongodb_client import connect_async
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
EVERY_OPERATION = -1


@pytest.fixture
def database(servers: Stack) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](servers.mongodb_admin_uri) as client:
        name = f"synthetic-{uuid4().hex[:8]}"
        before = client[name].command("profile", -1)
        yield client[name]
        client[name].command("profile", 0, slowms=before["slowms"], sampleRate=before["sampleRate"])
        client.drop_database(name)


def log_of(servers: Stack) -> str:
    return (servers.home / "logs" / "mongodb.log").read_text(encoding="utf-8", errors="replace")


def update(database: Database[dict[str, Any]]) -> str:
    """Store a word by an update, and return it."""
    word = f"synthetic-{uuid4().hex}"
    database["staff"].update_one({"_id": "synthetic"}, {"$set": {"name": word}}, upsert=True)
    return word


async def test_the_key_of_a_person_is_in_no_log_even_where_all_operations_are(
    servers: Stack, database: Database[dict[str, Any]]
) -> None:
    database.command("profile", 0, slowms=EVERY_OPERATION, sampleRate=1.0)
    client = connect_async(servers.mongodb_admin_uri)
    ring = KeyRing(client[database.name])
    sealed = await ring.encrypt("p1", {"name": "Synthetic"})
    assert await ring.encrypt("p1", {"name": "Synthetic"}) == sealed
    client.close()
    word = update(database)
    wait_for(lambda: word in log_of(servers))  # this log repeats an update
    key = database["keys"].find_one({"_id": "p1"})
    assert key is not None
    assert base64.b64encode(key["key"]).decode() not in log_of(servers)


def test_a_mongod_of_the_platform_logs_no_slow_operation(servers: Stack, database: Database[dict[str, Any]]) -> None:
    database.command("profile", 0, slowms=EVERY_OPERATION)
    word = update(database)
    database.command("profile", 0, slowms=EVERY_OPERATION, sampleRate=1.0)
    later = update(database)
    wait_for(lambda: later in log_of(servers))
    assert word not in log_of(servers)

"""Where a service begins to read: at the offset in its own database, whatever Kafka has committed."""

from __future__ import annotations

import pytest
from pymongo import MongoClient

from tests.journey.office import Desk
from tools.local import grants
from tools.local.stack import Stack

pytestmark = pytest.mark.servers


def test_what_a_restored_database_lacks_is_read_again(stack: Stack):
    desk = Desk(stack)
    desk.send("recommendations", "/sessions", session=998, starts_on="2030-11-04")
    desk.ask("recommendations", "/sessions/998", at_least=1, wait=20)
    stack.stop_one("recommendations")
    with MongoClient[dict[str, object]](stack.mongodb_admin_uri) as client:
        database = client[grants.database("recommendations")]
        for lost in ("journal", "states", "traces", "progress"):
            database[lost].drop()
    stack.start_one("recommendations")
    assert desk.ask("recommendations", "/sessions/998", at_least=1, wait=20)["version"] == 1

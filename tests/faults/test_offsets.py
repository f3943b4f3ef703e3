"""A service starts to consume at the offset in its own database, whatever offset Kafka has."""

from __future__ import annotations

import time

import pytest
from pymongo import MongoClient

from tests.journey.office import Desk
from tests.patience import AT_MOST_SECONDS
from tools.deployment import grants
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
SERVICE = "recommendations"


def known(stack: Stack, session: int) -> Desk:
    desk = Desk(stack)
    desk.send(SERVICE, "/sessions", session=session, starts_on="2030-11-04")
    desk.query(SERVICE, f"/sessions/{session}", at_least=1, wait=20)
    return desk


def lose_consumed(stack: Stack) -> None:
    """Delete everything consumed, as the restore of a very old backup would."""
    with MongoClient[dict[str, object]](stack.mongodb_admin_uri) as client:
        for lost in ("journal", "states", "traces", "progress"):
            client[grants.database(SERVICE)][lost].delete_many({})


def test_a_restored_database_consumes_the_missing_events_again(stack: Stack):
    desk = known(stack, 998)
    stack.stop_one(SERVICE)
    lose_consumed(stack)
    stack.start_one(SERVICE)
    assert desk.query(SERVICE, "/sessions/998", at_least=1, wait=20)["version"] == 1


def test_a_process_exits_when_its_database_was_rolled_back_and_the_next_consumes_again(stack: Stack):
    desk = known(stack, 997)
    lose_consumed(stack)
    until = time.monotonic() + AT_MOST_SECONDS
    while SERVICE in stack.pids():
        assert time.monotonic() < until, "the process continues on a stale state"
        time.sleep(0.1)
    stack.start_one(SERVICE)
    assert desk.query(SERVICE, "/sessions/997", at_least=1, wait=20)["version"] == 1

"""G1, G3: servers and services killed under load: what was acknowledged is stored, published and projected once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from pymongo import MongoClient

from shared.intake import Heard, take_apart
from tests.journey.office import Desk
from tests.journey.topics import everything_on
from tools.local import grants
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
CLIENTS = 4


class Load:
    """Clients that register instruments one after another, and note what was acknowledged to them."""

    def __init__(self, stack: Stack) -> None:
        self.acknowledged: list[str] = []
        self.failed: list[str] = []
        self._stack = stack
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(CLIENTS)]

    def _work(self) -> None:
        desk = Desk(self._stack)
        while not self._over.is_set():
            key = f"load-{uuid4().hex[:12]}"
            try:
                desk.send("recommendations", "/instruments", instrument=key, cite="Synthetic", body="SYN", title="T")
            except AssertionError as failure:
                self.failed.append(str(failure))
                return
            self.acknowledged.append(key)

    @contextmanager
    def running(self) -> Iterator[Load]:
        """Run the clients until the block ends."""
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._over.set()
            for thread in self._threads:
                thread.join(60)

    def goes_on(self) -> None:
        """Wait until clients have been acknowledged anew."""
        before = len(self.acknowledged)
        until = time.monotonic() + 40
        while len(self.acknowledged) < before + 20:
            assert time.monotonic() < until, "clients were not acknowledged again within 40 s"
            time.sleep(0.05)


def kill_and_restart(name: str) -> Callable[[Stack], None]:
    def fault(stack: Stack) -> None:
        stack.kill(name)  # type: ignore[arg-type]
        stack.start_one(name)

    return fault


@pytest.mark.parametrize("name", ["mongodb", "kafka", "recommendations"])
def test_what_was_acknowledged_survives_the_kill_of(stack: Stack, name: str):
    load = Load(stack)
    with load.running():
        load.goes_on()
        kill_and_restart(name)(stack)
        load.goes_on()
    assert load.failed == []
    streams = {f"instrument/{key}" for key in load.acknowledged}
    assert_stored_once(stack, streams)
    assert_projected(stack, streams)
    assert_published_once(stack, streams)


def assert_stored_once(stack: Stack, streams: set[str]) -> None:
    with MongoClient[dict[str, object]](stack.mongodb_admin_uri) as client:
        commits = client[grants.database("recommendations")]["commits"]
        stored = [commit["_id"]["s"] for commit in commits.find({"_id.s": {"$in": list(streams)}})]  # type: ignore[index]
    assert sorted(stored) == sorted(streams)


def assert_projected(stack: Stack, streams: set[str]) -> None:
    desk = Desk(stack)
    for stream in streams:
        shown = desk.ask("recommendations", f"/instruments/{stream.partition('/')[2]}", at_least=1, wait=30)
        assert shown["version"] == 1


def assert_published_once(stack: Stack, streams: set[str]) -> None:
    events = [take_apart(arrival) for arrival in everything_on(stack.kafka, "recommendations")]
    heard = [event for event in events if isinstance(event, Heard) and event.recorded.subject in streams]
    assert {event.recorded.subject for event in heard} == streams
    assert len({event.position for event in heard}) == len(streams)

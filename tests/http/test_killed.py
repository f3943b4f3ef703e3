"""A service is killed while clients write: what was acknowledged is stored, once; what was not may be sent again."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from tests.http.asking import Caller, Records, accepted, meeting, new_id
from tests.patience import AT_MOST_SECONDS
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
CLIENTS = 8
PAUSE_SECONDS, RETRY_SECONDS = 0.02, 0.1
LATER = {"starts_at": "2021-04", "ends_at": "2021-04"}


@dataclass
class Client:
    """Sends command after command, each until it is acknowledged, by the same id."""

    asking: Caller
    path: str
    over: threading.Event
    acknowledged: dict[str, list[str]] = field(default_factory=dict)
    unanswered: int = 0

    def run(self) -> None:
        while not self.over.is_set():
            key = new_id("command")
            self.acknowledged[key] = [event["id"] for event in self._sent(key)["events"]]
            time.sleep(PAUSE_SECONDS)

    def _sent(self, key: str) -> dict[str, Any]:
        until = time.monotonic() + AT_MOST_SECONDS
        while time.monotonic() < until:
            try:
                answer = self.asking.post("meetings", self.path, LATER, key=key)
            except httpx2.TransportError:
                self.unanswered += 1
            else:
                if answer.status_code != 503:
                    return accepted(answer)
            time.sleep(RETRY_SECONDS)
        raise AssertionError(f"{key} was not acknowledged within {AT_MOST_SECONDS} s")


def test_every_acknowledged_command_is_stored_exactly_once(
    stack: Stack, caller: Callable[..., Caller], records: Records
) -> None:
    asking, over = caller(), threading.Event()
    shared, own = new_id("meeting"), [new_id("meeting") for _ in range(CLIENTS - 2)]
    for key in (shared, *own):
        accepted(asking.post("meetings", "/meetings", meeting(key)))
    clients = [Client(asking, f"/meetings/{key}/reschedule", over) for key in (shared, shared, *own)]
    with ThreadPoolExecutor(CLIENTS) as threads:
        running = [threads.submit(client.run) for client in clients]
        for _ in range(2):
            time.sleep(0.7)
            stack.kill("meetings")
            stack.start_one("meetings")
        time.sleep(0.5)
        over.set()
        for each in running:
            each.result()
    assert all(client.unanswered for client in clients), "each client was cut off at least once"
    commits = records.commits("meetings", actor=asking.actor)
    stored = {commit["command_id"]: commit for commit in commits}
    assert Counter(commit["command_id"] for commit in commits).most_common(1)[0][1] == 1
    acknowledged = {key: ids for client in clients for key, ids in client.acknowledged.items()}
    assert len(acknowledged) > CLIENTS * 3
    assert len(commits) == len(acknowledged) + len(own) + 1
    for key, ids in acknowledged.items():
        assert [
            raw for raw, each in zip(stored[key]["events"], ids, strict=True) if each.encode() not in bytes(raw)
        ] == []
    for key in (shared, *own):
        versions = sorted((c["_id"]["v"], c["last"]) for c in commits if c["_id"]["s"] == f"meeting/{key}")
        assert versions == [(version, version) for version in range(1, len(versions) + 1)], (
            "no version twice, none left out"
        )
        read = asking.get("meetings", f"/meetings/{key}", at_least=len(versions), wait=30)
        assert (read.status_code, read.headers["ETag"]) == (200, f'"{len(versions)}"')
    for key, ids in list(acknowledged.items())[::10]:
        path = next(client.path for client in clients if key in client.acknowledged)
        again = accepted(asking.post("meetings", path, LATER, key=key))
        assert (again["replayed"], [event["id"] for event in again["events"]]) == (True, ids)

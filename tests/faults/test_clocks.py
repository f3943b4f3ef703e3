"""A service whose clock differs from its database's takes no commands, says which, and recovers by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from shared.domain.aggregate import Context
from shared.events.recommendations import ProvisionRegistered
from shared.store import database_clock
from shared.store.event_store import ClocksDiffer, Commit, EventStore
from tests.faults.relaying import a_site
from tests.faults.rig.instance import Instance
from tests.patience import AT_MOST_SECONDS, until
from tools.client.tokens import mint
from tools.local.stack import Stack

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("throughline names")]

HOUR = 3_600.0


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set the clock of this process's stores by some seconds; its monotonic clock cannot be set."""

    def by(seconds: float) -> None:
        shifted = SimpleNamespace(time=lambda: time.time() + seconds, monotonic=time.monotonic)
        monkeypatch.setattr(database_clock, "time", shifted)

    return by


async def append(store: EventStore, command_id: str, now: datetime | None = None) -> Commit:
    head, _ = await store.read("instrument/synthetic")
    context = Context(now or datetime.now(UTC), "synthetic-actor", "secretariat", command_id, "synthetic")
    event = ProvisionRegistered(provision=f"p{head.version}", summary="Synthetic")
    return await store.append(head, [event], context, "0" * 64)


@pytest.mark.drill
@pytest.mark.parametrize(("seconds", "says"), [(-HOUR, "3600 s behind"), (HOUR, "3600 s ahead of")])
async def test_no_command_is_taken_while_the_clocks_differ(
    servers: Stack, set_clock: Callable[[float], None], seconds: float, says: str
) -> None:
    async with a_site(servers) as site:
        store = EventStore(site.database)
        await store.clock.measure()
        await append(store, "before")
        set_clock(seconds)
        with pytest.raises(ClocksDiffer, match=f"this service's clock is {says} its database's, and 60 s are allowed"):
            await append(store, "meanwhile")
        await store.clock.measure()
        with pytest.raises(ClocksDiffer):
            await append(store, "measured again")
        set_clock(0)
        assert (await append(store, "afterwards")).last == 2


@pytest.mark.parametrize("seconds", [-50.0, 50.0])
async def test_less_than_a_minute_is_allowed(
    servers: Stack, set_clock: Callable[[float], None], seconds: float
) -> None:
    async with a_site(servers) as site:
        store = EventStore(site.database)
        set_clock(seconds)
        await store.clock.measure()
        assert abs(store.clock.ahead - seconds) < 5
        assert (await append(store, "within a minute")).last == 1


async def test_a_slow_answer_is_no_difference(servers: Stack) -> None:
    async with a_site(servers) as site:
        store = EventStore(site.database)
        slow = iter([time.monotonic() - 400, time.monotonic()])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(database_clock, "time", SimpleNamespace(time=time.time, monotonic=lambda: next(slow)))
            await store.clock.measure()
        assert store.clock.trouble is None


async def test_a_stream_that_is_ahead_keeps_its_order(servers: Stack) -> None:
    async with a_site(servers) as site:
        store = EventStore(site.database)
        await append(store, "ahead", datetime.now(UTC) + timedelta(days=1))
        await append(store, "now")
        _, recorded = await store.read("instrument/synthetic")
        assert recorded[0].time == recorded[1].time


@pytest.fixture
def recommendations(servers: Stack, tmp_path: Path) -> Iterator[Instance]:
    """The service as a process whose clock a point sets back."""
    instance = Instance(
        "recommendations",
        1,
        tmp_path,
        servers.environment("recommendations") | {"THROUGHLINE_NOT_READY_AFTER": "6"},
    )
    instance.restart()
    yield instance
    instance.end()


def test_a_service_refuses_commands_by_name_and_takes_them_again(servers: Stack, recommendations: Instance) -> None:
    web = httpx2.Client(base_url=recommendations.url, trust_env=False, timeout=AT_MOST_SECONDS)

    def send(
        method: str = "POST", path: str = "/instruments", backdated: timedelta = timedelta(0), **more: Any
    ) -> httpx2.Response:
        token = mint(servers.home, role="secretariat", subject="synthetic", backdated=backdated)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}
        return web.request(method, path, headers=headers, **more)

    def register(backdated: timedelta = timedelta(0)) -> httpx2.Response:
        key = f"synthetic-{uuid4().hex[:8]}"
        return send(
            backdated=backdated,
            json={"instrument": key, "cite": f"Synthetic {key}", "body": "Synthetic", "title": "Synthetic"},
        )

    registered = register()
    assert registered.status_code == 200
    assert registered.json()["stream"] not in send("GET", "/ahead").json()  # what other tests recorded may be
    with recommendations.points.armed_while("clock an hour back"):
        for refused in (register(), register(backdated=timedelta(hours=2))):
            assert (refused.status_code, refused.json()["rule"]) == (503, "ClocksDiffer")
            assert "3600 s behind its database's" in refused.json()["detail"]
            assert "Retry-After" in refused.headers
        until(lambda: "3600 s behind its database's" in recommendations.troubles())
        assert not recommendations.ready()
    assert register().status_code == 200
    until(recommendations.ready)

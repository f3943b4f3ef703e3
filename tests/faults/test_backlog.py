"""The ages of the oldest unpublished and the oldest unsigned event, on a real database and a real broker."""

from __future__ import annotations

import time
from unittest.mock import patch

import orjson
import pytest
from prometheus_client import REGISTRY

from shared.events.envelope import moment
from shared.ledger import backlog
from shared.ledger.backlog import Backlog
from shared.ledger.checkpoints import Checkpoints, SignedCheckpoint
from tests.faults.relaying import Site, a_site, running
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
UNPUBLISHED, UNSIGNED = "throughline_unpublished_age_seconds", "throughline_unsigned_age_seconds"


async def times(site: Site) -> list[float]:
    """The time of each commit, in the order of their insertion."""
    commits = await site.database.commits.find({}).sort("$natural", 1).to_list(None)
    return [moment(orjson.loads(bytes(commit["events"][0]))["time"]).timestamp() for commit in commits]


async def measured(site: Site, measuring: Backlog, metric: str) -> tuple[float, float]:
    """Since when the oldest event waits by a metric: no earlier and no later than these two times."""
    before = time.time()
    await measuring.measure()
    age = REGISTRY.get_sample_value(metric, {"service": site.service})
    assert age is not None
    return (before - age, time.time() - age) if age else (0.0, 0.0)


async def test_the_oldest_event_counts_that_is_not_published_and_not_signed(servers: Stack) -> None:
    async with a_site(servers) as site:
        relay, checkpoints = site.relay(), Checkpoints(site.database)
        measuring = Backlog(site.database, site.service, relay, checkpoints)
        assert await measured(site, measuring, UNPUBLISHED) == (0.0, 0.0)
        await site.append(streams=1, commits=3)
        first = (await times(site))[0]
        low, high = await measured(site, measuring, UNPUBLISHED)
        assert low <= first <= high
        assert await measured(site, measuring, UNSIGNED) == (0.0, 0.0)
        async with running(relay):
            await site.until(site.appended)
            assert await measured(site, measuring, UNPUBLISHED) == (0.0, 0.0)
            assert REGISTRY.get_sample_value("throughline_relay_leads", {"service": site.service}) == 1
        low, high = await measured(site, measuring, UNSIGNED)
        assert low <= first <= high
        await checkpoints.insert(SignedCheckpoint(site.appended, b"synthetic"))
        assert await measured(site, measuring, UNSIGNED) == (0.0, 0.0)
        await site.append(streams=1, commits=2)
        low, high = await measured(site, measuring, UNPUBLISHED)
        assert low <= (await times(site))[3] <= high
        assert REGISTRY.get_sample_value("throughline_relay_leads", {"service": site.service}) == 0


async def test_of_a_large_backlog_the_oldest_that_was_seen_counts_until_it_is_published(servers: Stack) -> None:
    async with a_site(servers) as site:
        relay = site.relay()
        measuring = Backlog(site.database, site.service, relay, Checkpoints(site.database))
        with patch.object(backlog, "MOST_COMMITS", 3):
            await site.append(streams=1, commits=1)
            await measuring.measure()
            await site.append(streams=1, commits=5)
            recorded = await times(site)
            low, high = await measured(site, measuring, UNPUBLISHED)
            assert low <= recorded[0] <= high
            restarted = Backlog(site.database, site.service, relay, Checkpoints(site.database))
            low, high = await measured(site, restarted, UNPUBLISHED)
            assert low <= recorded[3] <= high
            async with running(relay):
                await site.until(site.appended)
            assert await measured(site, measuring, UNPUBLISHED) == (0.0, 0.0)

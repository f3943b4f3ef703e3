"""A reader that is told to end gives its partitions away at once; it is a static member of its group all the same."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from tests.faults.relaying import a_site
from tests.faults.test_flushing import BatchHandler
from tests.faults.test_lost_topics import consumed, publish, reading
from tests.patience import AT_MOST_SECONDS
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
SESSION_LEFT_SECONDS = 7.0  # a session lasts ten, and began with a heartbeat at most two seconds ago


async def test_another_reader_has_the_partitions_long_before_the_session_ends(servers: Stack):
    async with a_site(servers) as site:
        staying, leaving, numbers = BatchHandler(), BatchHandler(), count()
        async with reading(site, staying, instance="staying"):
            async with reading(site, leaving, instance="leaving"), asyncio.timeout(AT_MOST_SECONDS):
                while not (staying.flushed and leaving.flushed):
                    await publish(site, [next(numbers) for _ in range(3)])
                    await asyncio.sleep(0.2)
            after = [next(numbers) for _ in range(3)]
            async with asyncio.timeout(SESSION_LEFT_SECONDS):
                await publish(site, after)
                await consumed(staying, after)

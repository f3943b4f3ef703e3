"""G2: the relay publishes each stored event, in stream order, and no other event, wherever it is killed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from shared.ledger.lease import Lease
from shared.ledger.relay import Relay
from tests.faults.relaying import a_site, running
from tests.patience import AT_MOST_SECONDS
from tools.local.stack import Stack

pytestmark = pytest.mark.servers


class Killed(Exception):
    """An error that ends a relay, which survives most others."""


async def _die(*_: object) -> None:
    raise Killed


def dying(where: str) -> type[Relay]:
    """Return a relay class that dies at its second batch, in the named step."""

    class Dying(Relay):
        batches = 0

        async def _publish(self, producer: Any, batch: Any, raws: Any, *more: Any) -> None:
            Dying.batches += 1
            if Dying.batches == 2:
                if where == "ledger stored":
                    raise Killed
                self._ledger.raise_published = _die  # type: ignore[method-assign]
                if where == "half published":
                    half = max(1, len(batch.entries) // 2)
                    batch, raws = replace(batch, entries=batch.entries[:half]), raws[:half]
            await super()._publish(producer, batch, raws, *more)

    return Dying


@pytest.mark.internals
@pytest.mark.parametrize("where", ["ledger stored", "half published", "published"])
async def test_a_relay_that_dies_between_two_steps_loses_no_event_and_keeps_the_order(servers: Stack, where: str):
    async with a_site(servers) as site:
        await site.append(streams=4, commits=3)
        async with running(site.relay(dying(where))) as task:
            await site.until(site.appended)
            await site.append(streams=8, commits=4)
            with pytest.raises(Killed):
                await asyncio.wait_for(task, AT_MOST_SECONDS)
        async with running(site.relay()):
            await site.append(streams=8, commits=2)
            await site.until(site.appended)
        await site.verify()


async def test_two_relays_that_both_lead_publish_one_order(servers: Stack, monkeypatch: pytest.MonkeyPatch):
    async def always(_lease: Lease) -> bool:
        return True

    monkeypatch.setattr(Lease, "take", always)
    async with a_site(servers) as site, running(site.relay()), running(site.relay()):
        for _ in range(6):
            await site.append(streams=6, commits=3)
        await site.until(site.appended)
        await site.verify()


async def test_only_one_of_two_relays_leads_and_the_other_takes_over(servers: Stack):
    async with a_site(servers) as site:
        async with running(site.relay()):
            await site.append(streams=3, commits=2)
            await site.until(site.appended)
            async with running(site.relay()):
                await site.append(streams=3, commits=2)
                await site.until(site.appended)
            leases = await site.database.relay.count_documents({"_id": "lease"})
            assert leases == 1
        async with running(site.relay()):
            await site.append(streams=3, commits=2)
            await site.until(site.appended)
        await site.verify()


async def test_a_relay_whose_resume_token_is_too_old_compares_heads_and_continues(servers: Stack):
    async with a_site(servers) as site:
        await site.append(streams=5, commits=2)
        async with running(site.relay()):
            await site.until(site.appended)
        await site.append(streams=7, commits=3)
        await site.database.ledger.update_many({}, {"$set": {"token": {"_data": "82" + "0" * 8}}})
        async with running(site.relay()):
            await site.append(streams=9, commits=1)
            await site.until(site.appended)
        await site.verify()

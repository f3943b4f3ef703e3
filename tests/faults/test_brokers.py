"""A reader that is given several brokers reaches Kafka by any of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.relaying import a_site
from tests.faults.test_flushing import BatchHandler
from tests.faults.test_lost_topics import consumed, publish, reading
from tools.local.stack import Stack

pytestmark = pytest.mark.servers


@pytest.mark.parametrize("bootstrap", ["{0},127.0.0.1:9", "127.0.0.1:9, {0}"])
async def test_a_reader_reaches_kafka_by_any_of_its_brokers(servers: Stack, bootstrap: str):
    async with a_site(servers) as site:
        handler = BatchHandler()
        named = replace(site.kafka, bootstrap=bootstrap.format(site.kafka.bootstrap))
        async with reading(replace(site, kafka=named), handler):
            await publish(site, range(9))
            await consumed(handler, range(9))

"""A setting of a topic that differs from its declaration is an alarm; one that deletes history stops readiness."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiokafka.admin import NewPartitions
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.ledger import topic_settings
from shared.ledger.topic_settings import TopicSettingsWatch
from shared.runtime.telemetry import TOPIC_DIFFERENCES, Pulse
from shared.runtime.topic_declaration import Topics
from tests.faults.relaying import Site, a_site, administrator
from tests.patience import AT_MOST_SECONDS
from tools.deployment import topics
from tools.local.stack import Stack

pytestmark = pytest.mark.servers


@asynccontextmanager
async def watching(servers: Stack, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Site, Pulse]]:
    """Watch a topic that is as its declaration says."""
    monkeypatch.setattr(topic_settings, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(topic_settings, "TURN_SECONDS", 0.1)
    async with a_site(servers) as site:
        declared: Topics = replace(topics.declared(), partitions={site.topic: 3})
        await alter(site, dict(declared.config))
        pulse = Pulse("topic")
        task = asyncio.create_task(TopicSettingsWatch(site.kafka, site.service, declared, pulse).run())
        try:
            await until(lambda: (pulse.trouble, pulse.warning) == ("", ""))
            yield site, pulse
        finally:
            task.cancel()
            await asyncio.wait([task])


async def alter(site: Site, settings: dict[str, str]) -> None:
    async with administrator(site.kafka) as admin:
        answers: Any = await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, site.topic, settings)])
        assert answers


async def until(met: Callable[[], object]) -> None:
    async with asyncio.timeout(AT_MOST_SECONDS):
        while not met():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def differences(site: Site) -> float:
    return float(TOPIC_DIFFERENCES.labels(site.service)._value.get())


@pytest.mark.parametrize(("name", "value"), [("retention.ms", "1000"), ("cleanup.policy", "compact")])
async def test_a_setting_that_deletes_history_stops_readiness_until_it_is_set_back(
    servers: Stack, monkeypatch: pytest.MonkeyPatch, name: str, value: str
):
    async with watching(servers, monkeypatch) as (site, pulse):
        declared = dict(topics.declared().config)
        await alter(site, declared | {name: value})
        await until(lambda: f"{name} is {value}, declared {declared[name]}" in pulse.trouble)
        assert f"throughline republish {site.service}" in pulse.trouble
        assert pulse.silent_for() == float("inf")
        assert differences(site) == 1
        await alter(site, declared)
        await until(lambda: (pulse.trouble, pulse.warning) == ("", ""))
        assert differences(site) == 0


async def test_any_other_difference_is_a_warning(servers: Stack, monkeypatch: pytest.MonkeyPatch):
    async with watching(servers, monkeypatch) as (site, pulse):
        async with administrator(site.kafka) as admin:
            await admin.create_partitions({site.topic: NewPartitions(4)})
        await until(lambda: "partitions is 4, declared 3" in pulse.warning)
        assert pulse.trouble == ""
        assert pulse.silent_for() < AT_MOST_SECONDS

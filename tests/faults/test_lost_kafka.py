"""G12: Kafka lost, and had again from the ledgers: traces as they were byte for byte, nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from shared.ledger.checkpoint_topic import checkpoints_published
from shared.tlog.keys import LogKeys, origin_of
from shared.tlog.trust import LogTrust
from tests.cli.terminal import output_of, throughline
from tests.faults import losing
from tests.faults.losing import Held, a_platform, assert_consumed_again, held, named_in_trouble, wait_for
from tests.faults.relaying import administrator
from tests.patience import AT_MOST_SECONDS
from tools.deployment import grants, topics
from tools.local import log_keys
from tools.local.stack import ALL_FOUR, Stack

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@pytest.fixture(scope="module")
def platform() -> Iterator[Stack]:
    with a_platform() as running:
        yield running


async def delete(stack: Stack, *names: str) -> None:
    async with administrator(stack.kafka_admin) as admin:
        await admin.delete_topics(list(names))


def republish(stack: Stack, *services: str) -> None:
    for service in services:
        done = throughline(stack, "republish", service)
        assert done.exit_code == 0, done.output
        assert f"Republished {service}" in output_of(done)


def assert_had_again(stack: Stack, before: Held) -> None:
    """Assert that everything is as before, and that all checkpoints are on their topic again."""
    losing.assert_had_again(stack, before)
    wait_for(lambda: not missing_checkpoints(stack))


def missing_checkpoints(stack: Stack) -> set[tuple[str, int]]:
    """Return service and size of the stored checkpoints that are not on their topic."""
    with MongoClient[dict[str, Any]](stack.mongodb_admin_uri) as client:
        stored = {(name, row["_id"]) for name in ALL_FOUR for row in client[grants.database(name)].checkpoints.find()}
    return stored - asyncio.run(published_checkpoints(stack))


async def published_checkpoints(stack: Stack) -> set[tuple[str, int]]:
    published = set()
    for service in ALL_FOUR:
        keys = LogKeys.parse(log_keys.key_file(stack.home, service).read_text(), origin_of("local", service))
        sizes = await checkpoints_published(stack.kafka_admin, service, LogTrust(keys.verifiers))
        published |= {(service, size) for size in sizes}
    return published


def test_the_whole_data_folder_of_kafka_is_lost(platform: Stack):
    before = held(platform)
    assert before[0], "there is no trace"
    platform.stop()
    shutil.rmtree(platform.home / "kafka" / "data")
    platform.start()
    named_in_trouble(platform, "republish", *(service for service in ALL_FOUR if before[1][service]))
    republish(platform, *ALL_FOUR)
    assert_had_again(platform, before)
    assert_consumed_again(platform, 971)


def test_topics_are_deleted_and_made_again_under_running_services(platform: Stack):
    before = held(platform)
    asyncio.run(delete(platform, "throughline.recommendations", "throughline.checkpoints"))
    topics.ensure(platform.kafka_admin)
    named_in_trouble(platform, "republish", "recommendations")
    republish(platform, "recommendations")
    assert_had_again(platform, before)
    assert_consumed_again(platform, 972)


def test_the_folders_of_partitions_are_lost_while_the_broker_is_stopped(platform: Stack):
    before = held(platform)
    platform.stop_one("kafka")
    for folder in (platform.home / "kafka" / "data").glob("throughline.recommendations-*"):
        shutil.rmtree(folder)
    platform.start_one("kafka")
    named_in_trouble(platform, "republish", "recommendations")
    republish(platform, "recommendations")
    assert_had_again(platform, before)
    assert_consumed_again(platform, 973)


def test_a_service_that_is_killed_while_it_republishes_continues(platform: Stack):
    before = held(platform)
    with MongoClient[dict[str, Any]](platform.mongodb_admin_uri) as client:
        relay = client[grants.database("recommendations")].relay
        relay.insert_one({"_id": "republish", "next": 0, "end": before[1]["recommendations"]})
        platform.kill("recommendations")
        platform.start_one("recommendations")
        until = time.monotonic() + AT_MOST_SECONDS
        while relay.find_one({"_id": "republish"}):
            assert time.monotonic() < until
            time.sleep(0.1)
    assert_had_again(platform, before)
    assert_consumed_again(platform, 974)

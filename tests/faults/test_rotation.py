"""Every password and signing key replaced under load: the old is refused, the new works, nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaError
from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from shared.consumer.topic_metadata import topic_inspector
from shared.runtime.kafka_access import KafkaAccess
from tests.faults import losing
from tests.faults.losing import run
from tests.journey.office import Desk
from tools.client.stack_home import user_uri
from tools.deployment import grants
from tools.local import log_keys
from tools.local.service import Service
from tools.local.stack import ALL_FOUR, Stack

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.drill]


@pytest.fixture(scope="module")
def platform() -> Iterator[Stack]:
    with losing.a_platform() as running:
        yield running


def restart_all(stack: Stack) -> None:
    """Restart every service, one after another, with the settings of now."""
    for name in ALL_FOUR:
        stack.stop_one(name)
        service = Service(name, stack.memory.ports()[name], stack.environment(name))
        stack._begin(service)
        stack._await_ready(service)


def kafka_admits(stack: Stack, user: str, password: str) -> bool:
    return asyncio.run(_kafka_admits(stack, user, password))


async def _kafka_admits(stack: Stack, user: str, password: str) -> bool:
    try:
        async with topic_inspector(KafkaAccess(stack.kafka.bootstrap, user, SecretStr(password))) as inspector:
            return await inspector.state(f"throughline.{user}") is not None
    except KafkaError:
        return False


def mongodb_admits(stack: Stack, service: str, password: str) -> bool:
    uri = user_uri(stack.mongodb_admin_uri, service, password)
    with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=10_000) as client:
        try:
            return client[grants.database(service)].command("ping")["ok"] == 1
        except OperationFailure:
            return False


def assert_recorded(stack: Stack, streams: list[str]) -> None:
    """Assert that every accepted command is on record, and that Kafka makes the live traces."""
    losing.wait_until_idle(stack)
    with MongoClient[dict[str, Any]](stack.mongodb_admin_uri) as client:
        entered = losing.ledgered(client, "recommendations")
    assert {(stream, 1) for stream in streams} <= entered
    assert "identical" in run(stack, "replay", "--from", "kafka", "--compare")


def test_every_password_of_a_service_is_replaced_under_load(platform: Stack):
    users = tuple(platform.memory.kafka_passwords())
    old_kafka = platform.memory.kafka_passwords()
    old_mongodb = {service: platform.memory.password(service) for service in ALL_FOUR}
    with losing.load(platform) as accepted:
        assert f"New passwords on Kafka: {', '.join(users)}" in run(platform, "rotate", "kafka")
        assert f"New passwords in MongoDB: {', '.join(ALL_FOUR)}" in run(platform, "rotate", "mongodb")
        restart_all(platform)
    assert_recorded(platform, accepted)
    for service in ALL_FOUR:
        new_kafka, new_mongodb = platform.memory.kafka_passwords()[service], platform.memory.password(service)
        assert not kafka_admits(platform, service, old_kafka[service])
        assert kafka_admits(platform, service, new_kafka)
        assert not mongodb_admits(platform, service, old_mongodb[service])
        assert mongodb_admits(platform, service, new_mongodb)
    platform.stop()
    platform.start()
    losing.assert_consumed_again(platform, 985)


def test_every_signing_key_is_replaced_under_load(platform: Stack, tmp_path: Path):
    earlier = tmp_path / "earlier"
    run(platform, "audit", "export", str(earlier), "--wait", "30")
    keys = {name: log_keys.key_file(platform.home, name) for name in ALL_FOUR}
    old = {name: file.read_text().split()[0] for name, file in keys.items()}
    with losing.load(platform) as accepted:
        for name, file in keys.items():
            run(platform, "audit", "keygen", str(file), "--service", name, "--rotate")
        restart_all(platform)
        for name, file in keys.items():
            log = platform.home / "logs" / f"{name}.log"
            losing.wait_for(lambda log=log: "key_rotated" in log.read_text())
            run(platform, "audit", "keygen", str(file), "--service", name, "--drop-retired")
            assert old[name] not in file.read_text()
    assert_recorded(platform, accepted)
    later = tmp_path / "later"
    run(platform, "audit", "export", str(later), "--wait", "30")
    assert "verified:" in run(platform, "audit", "verify", str(later), "--since", str(earlier))
    Desk(platform).query("recommendations", "/traces")

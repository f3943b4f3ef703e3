"""Rights on the real broker: what each user of deploy/kafka.yaml is refused, and how a service says so."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import NewTopic
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
)
from pydantic import SecretStr
from pymongo import MongoClient
from typer.testing import Result

from shared.consumer.kafka_authorization import KafkaRefused, raise_if_refused
from shared.consumer.topic_reader import read_topic
from shared.runtime.kafka_access import KafkaAccess
from tests.cli.terminal import throughline
from tests.faults.relaying import administrator
from tests.patience import AT_MOST_SECONDS
from tools.client.stack_home import READER
from tools.deployment import grants, kafka_users
from tools.local.messages import CannotStart
from tools.local.processes import end, spawn
from tools.local.service import Service
from tools.local.stack import ALL_FOUR, Stack, temporary

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("throughline names")]

CHECKPOINTS = "throughline.checkpoints"
AWAY = KafkaConnectionError("synthetic")


async def publish(kafka: KafkaAccess, topic: str, timeout_ms: int = 40_000) -> None:
    async with AIOKafkaProducer(**kafka.client(), request_timeout_ms=timeout_ms) as producer:
        await producer.send_and_wait(topic, b"synthetic", key=b"synthetic")


async def read(kafka: KafkaAccess, topic: str) -> int:
    return len([record async for record in read_topic(kafka, topic)])


async def join(kafka: KafkaAccess, topic: str, group: str) -> None:
    consumer = AIOKafkaConsumer(topic, **kafka.client(), group_id=group)
    try:
        await consumer.start()
    finally:
        await consumer.stop()


@pytest.mark.parametrize("service", ALL_FOUR)
async def test_a_service_writes_its_own_topic_and_the_checkpoints_and_no_other(servers: Stack, service: str) -> None:
    kafka = servers.memory.kafka(service)
    for topic in (f"throughline.{service}", CHECKPOINTS):
        await publish(kafka, topic)
    for other in set(ALL_FOUR) - {service}:
        with pytest.raises(TopicAuthorizationFailedError):
            await publish(kafka, f"throughline.{other}")


async def test_a_service_reads_only_what_it_consumes(servers: Stack) -> None:
    kafka = servers.memory.kafka("nominations")
    await read(kafka, "throughline.nominations")
    with pytest.raises(TopicAuthorizationFailedError):
        await read(kafka, "throughline.notifications")


async def test_a_service_joins_only_its_own_group(servers: Stack) -> None:
    kafka = servers.memory.kafka("meetings")
    await join(kafka, "throughline.meetings", "throughline.meetings")
    with pytest.raises(GroupAuthorizationFailedError):
        await join(kafka, "throughline.meetings", "throughline.recommendations")


@pytest.mark.parametrize("user", ["meetings", READER])
async def test_no_declared_user_makes_or_deletes_a_topic(servers: Stack, user: str) -> None:
    async with administrator(servers.memory.kafka(user)) as admin:
        created = await admin.create_topics([NewTopic(f"throughline.{uuid4().hex}", 1, 1)])
        deleted = await admin.delete_topics(["throughline.meetings"])
    assert [code for _, code, *_ in created.topic_errors] == [29]
    assert [code for _, code in deleted.topic_error_codes] == [29]


@pytest.mark.parametrize("user", ["meetings", READER])
def test_no_declared_user_gives_rights(servers: Stack, user: str) -> None:
    with pytest.raises(kafka_users.NotGranted, match="give the administrator's"):
        kafka_users.ensure(servers.memory.kafka(user), {user: "synthetic"})


async def test_the_reader_reads_everything_and_neither_writes_nor_joins_a_group(servers: Stack) -> None:
    assert servers.kafka.user == READER
    for service in ALL_FOUR:
        await read(servers.kafka, f"throughline.{service}")
        with pytest.raises(TopicAuthorizationFailedError):
            await publish(servers.kafka, f"throughline.{service}")
        with pytest.raises(GroupAuthorizationFailedError):
            await join(servers.kafka, f"throughline.{service}", f"throughline.{service}")
    await read(servers.kafka, CHECKPOINTS)
    with pytest.raises(TopicAuthorizationFailedError):
        await publish(servers.kafka, CHECKPOINTS)


def nobody(kafka: KafkaAccess) -> KafkaAccess:
    return KafkaAccess(kafka.bootstrap)


def wrong_password(kafka: KafkaAccess) -> KafkaAccess:
    return replace(kafka, password=SecretStr("wrong"))


def unknown_user(kafka: KafkaAccess) -> KafkaAccess:
    return replace(kafka, user="nobody")


def another_mechanism(kafka: KafkaAccess) -> KafkaAccess:
    return replace(kafka, mechanism="SCRAM-SHA-256")


@pytest.mark.parametrize("changed", [nobody, wrong_password, unknown_user, another_mechanism])
async def test_who_does_not_authenticate_is_refused_at_each_door_and_told_so(servers: Stack, changed) -> None:
    ports = servers.memory.ports()
    for port in (ports["kafka"], ports["kafka_controller"]):
        kafka = changed(replace(servers.memory.kafka("meetings"), bootstrap=f"127.0.0.1:{port}"))
        with pytest.raises(KafkaConnectionError):
            await publish(kafka, "throughline.meetings")
    with pytest.raises(KafkaRefused, match=r"THROUGHLINE_KAFKA_USER: .* does not accept"):
        await raise_if_refused(AWAY, changed(servers.memory.kafka("meetings")))


async def test_a_broker_that_is_away_refuses_nobody(servers: Stack) -> None:
    await raise_if_refused(AWAY, replace(servers.kafka, bootstrap="127.0.0.1:1"))
    await raise_if_refused(AWAY, servers.kafka)


def ended(servers: Stack, service: str, **settings: str) -> tuple[int, str]:
    """Run a service with settings changed until it ends by itself; return its exit code and output."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("THROUGHLINE_")}
    given = servers.environment(service) | {f"THROUGHLINE_{name}": value for name, value in settings.items()}
    done = subprocess.run(
        [sys.executable, "-m", f"services.{service}.app"], env=inherited | given,
        capture_output=True, text=True, check=False, timeout=AT_MOST_SECONDS,
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "settings", [{"KAFKA_PASSWORD": "wrong"}, pytest.param({"KAFKA_USER": "nobody"}, marks=pytest.mark.drill)]
)
def test_a_service_with_a_wrong_password_says_so_and_ends(servers: Stack, settings: dict[str, str]) -> None:
    code, output = ended(servers, "meetings", **settings)
    assert code == 2
    assert output.startswith("THROUGHLINE_KAFKA_USER: Kafka at")
    assert "throughline users ensure" in output
    assert "wrong" not in output


@pytest.mark.drill
def test_a_service_with_the_rights_of_another_names_what_it_lacks_and_ends(servers: Stack) -> None:
    other = servers.memory.kafka("nominations")
    code, output = ended(
        servers, "meetings", KAFKA_USER="nominations", KAFKA_PASSWORD=other.password.get_secret_value()
    )  # fmt: skip
    assert code == 2
    assert "refuses the user nominations" in output
    assert "throughline" in output


@pytest.mark.parametrize("right", ["read", pytest.param("join", marks=pytest.mark.drill)])
def test_a_running_service_that_loses_a_right_says_so_and_ends(servers: Stack, tmp_path: Path, right: str) -> None:
    declaration = yaml.safe_load(kafka_users.DECLARATION.read_text())
    del declaration["users"]["meetings"][right]
    (tmp_path / "kafka.yaml").write_text(yaml.safe_dump(declaration))
    service = Service("meetings", servers.memory.ports()["meetings"], servers.environment("meetings"))
    with MongoClient[dict[str, Any]](servers.mongodb_admin_uri) as client:  # other tests leave made-up documents there
        database = client[grants.database("meetings")]
        for collection in database.list_collection_names():
            database[collection].delete_many({})
    child = spawn("meetings", service.command(), tmp_path / "log", {**os.environ, **service.environment()})
    passwords = servers.memory.kafka_passwords()
    try:
        service.await_ready(child)
        kafka_users.ensure(servers.kafka_admin, passwords, tmp_path / "kafka.yaml")
        assert child.process.wait(AT_MOST_SECONDS) == 2
        assert "refuses the user meetings: [Error" in child.output().splitlines()[-1]
    finally:
        end([child])
        kafka_users.ensure(servers.kafka_admin, passwords)


def test_rights_follow_their_declaration(servers: Stack, tmp_path: Path) -> None:
    declared = kafka_users.DECLARATION.read_text()
    (tmp_path / "kafka.yaml").write_text(
        declared.replace("write: [throughline.meetings,", "write: [throughline.nominations, throughline.meetings,")
    )
    meetings, passwords = servers.memory.kafka("meetings"), servers.memory.kafka_passwords()
    try:
        kafka_users.ensure(servers.kafka_admin, passwords, tmp_path / "kafka.yaml")
        asyncio.run(publish(meetings, "throughline.nominations"))
    finally:
        kafka_users.ensure(servers.kafka_admin, passwords)
    with pytest.raises(TopicAuthorizationFailedError):
        asyncio.run(publish(meetings, "throughline.nominations"))


@pytest.fixture
def folder(servers: Stack, tmp_path: Path) -> Iterator[Path]:
    """A folder for passwords; afterwards the servers' own hold again."""
    yield tmp_path / "passwords"
    kafka_users.ensure(servers.kafka_admin, servers.memory.kafka_passwords())


def users_ensure(servers: Stack, folder: Path, **settings: str) -> Result:
    administrator = {f"THROUGHLINE_{name.upper()}": value for name, value in servers.kafka_admin.settings().items()}
    return throughline(None, "users", "ensure", "--passwords", str(folder), **administrator | settings)


def test_the_command_makes_users_whose_passwords_are_files(servers: Stack, folder: Path) -> None:
    folder.mkdir()
    (folder / "meetings").write_text("Synthetic password\n")
    done = users_ensure(servers, folder)
    assert done.exit_code == 0, done.output
    assert {file.name for file in folder.iterdir()} == {*ALL_FOUR, READER}
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir() if file.name != "meetings")
    for user in ("meetings", READER):
        password = (folder / user).read_text().strip()
        kafka = KafkaAccess(servers.kafka.bootstrap, user, SecretStr(password))
        asyncio.run(read(kafka, "throughline.meetings"))


def test_the_command_without_an_administrator_is_refused(servers: Stack, folder: Path) -> None:
    done = users_ensure(servers, folder, THROUGHLINE_KAFKA_PASSWORD="wrong")
    assert done.exit_code == 1
    assert "refuses the administrator admin" in done.output


@contextmanager
def without_rights(home: Path) -> Iterator[list[str]]:
    lines: list[str] = []
    with Stack(home, (), lines.append, with_rights=False) as stack:
        assert stack.kafka == stack.kafka_admin == KafkaAccess(stack.kafka.bootstrap)
        asyncio.run(publish(stack.kafka, "throughline.meetings"))
        asyncio.run(raise_if_refused(AWAY, stack.kafka))
        with pytest.raises(KafkaRefused, match="does not accept the user meetings"):
            asyncio.run(raise_if_refused(AWAY, replace(stack.kafka, user="meetings")))
        yield lines


@pytest.mark.drill
def test_a_home_without_rights_is_taken_over_with_its_records(tmp_path: Path) -> None:
    with without_rights(tmp_path / "home") as lines:
        assert "kafka has no rights: whoever reaches it may write anything to it" in lines
    with Stack(tmp_path / "home", (), lambda _: None) as stack:
        assert asyncio.run(read(stack.kafka, "throughline.meetings")) == 1
        asyncio.run(publish(stack.memory.kafka("meetings"), "throughline.meetings"))
        with pytest.raises(KafkaConnectionError):
            asyncio.run(publish(KafkaAccess(stack.kafka.bootstrap), "throughline.meetings", 2_000))
        assert asyncio.run(read(stack.kafka, "throughline.meetings")) == 2


def test_a_kafka_of_ones_own_needs_an_administrator_or_is_used_without_rights(
    servers: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THROUGHLINE_KAFKA", servers.kafka.bootstrap)
    monkeypatch.setenv("THROUGHLINE_MONGODB", servers.mongodb_admin_uri)
    with pytest.raises(CannotStart, match=r"(?s)THROUGHLINE_KAFKA_USER.*--no-rights"), temporary(services=()):
        pass
    for name, value in servers.kafka_admin.settings().items():
        monkeypatch.setenv(f"THROUGHLINE_{name.upper()}", value)
    monkeypatch.setenv("THROUGHLINE_NO_RIGHTS", "1")
    try:
        with temporary(services=()) as second:
            assert second.kafka == second.memory.kafka("meetings") == second.kafka_admin == servers.kafka_admin
        asyncio.run(publish(servers.memory.kafka("meetings"), "throughline.meetings"))  # its password is what it was
    finally:
        grants.grant(servers.mongodb_admin_uri, {name: servers.memory.password(name) for name in ALL_FOUR})


def test_the_configuration_with_passwords_is_private(servers: Stack) -> None:
    assert (servers.home / "kafka" / "kafka.properties").stat().st_mode & 0o077 == 0

"""Rights, topics and mail on the real servers of the local stack."""

import smtplib
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure

from shared.runtime.topic_declaration import Topics
from tests.cli.terminal import throughline
from tests.journey.topics import everything_on
from tests.local.conftest import UP
from tools.deployment import grants, kafka_users, topics
from tools.local.messages import CannotStart
from tools.local.running import AlreadyRunning
from tools.local.stack import ALL_FOUR, Stack, temporary

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("throughline names")]

UNAUTHORIZED = 13


@pytest.fixture
def meetings(servers: Stack) -> Iterator[Database[dict[str, Any]]]:
    """The database of the meetings service, for that service's own user."""
    with MongoClient[dict[str, Any]](servers.mongodb_uri("meetings")) as client:
        yield client["throughline_meetings"]


def refused(error: pytest.ExceptionInfo[OperationFailure]) -> bool:
    return error.value.code == UNAUTHORIZED


@pytest.mark.parametrize("collection", ["commits", "ledger", "refusals"])
def test_a_service_can_add_to_the_record_but_neither_change_nor_remove_it(
    meetings: Database[dict[str, Any]], collection: str
) -> None:
    record = meetings[collection]
    fact = {"fact": "synthetic", "command_id": uuid4().hex}
    document = record.insert_one(dict(fact)).inserted_id
    with pytest.raises(OperationFailure) as update:
        record.update_one({"_id": document}, {"$set": {"fact": "another"}})
    with pytest.raises(OperationFailure) as replacement:
        record.replace_one({"_id": document}, {"fact": "another"})
    with pytest.raises(OperationFailure) as deletion:
        record.delete_one({"_id": document})
    with pytest.raises(OperationFailure) as drop:
        record.drop()
    assert refused(update)
    assert refused(replacement)
    assert refused(deletion)
    assert refused(drop)
    assert record.find_one({"_id": document}) == {"_id": document, **fact}


def test_a_service_can_follow_its_record(meetings: Database[dict[str, Any]]) -> None:
    with meetings["commits"].watch() as changes:
        meetings["commits"].insert_one({"command_id": "synthetic-1"})
        assert changes.next()["fullDocument"]["command_id"] == "synthetic-1"


@pytest.mark.parametrize(
    "collection", ["journal", "states", "dead_letters", "traces", "relay", "keys", "staff", "progress"]
)
def test_a_service_can_rewrite_what_it_derives(meetings: Database[dict[str, Any]], collection: str) -> None:
    derived = meetings[collection]
    document = derived.insert_one({"shape": 1}).inserted_id
    assert derived.update_one({"_id": document}, {"$set": {"shape": 2}}).modified_count == 1
    assert derived.delete_one({"_id": document}).deleted_count == 1


def test_a_service_reads_no_sibling_and_no_undeclared_collection(meetings: Database[dict[str, Any]]) -> None:
    with pytest.raises(OperationFailure) as sibling:
        meetings.client["throughline_nominations"]["commits"].find_one()
    with pytest.raises(OperationFailure) as undeclared:
        meetings["scratch"].insert_one({})
    assert refused(sibling)
    assert refused(undeclared)


def test_rights_follow_their_declaration(servers: Stack, meetings: Database[dict[str, Any]], tmp_path: Path) -> None:
    declaration = yaml.safe_load(grants.DECLARATION.read_text())
    declaration["read_write"]["collections"].append("scratch")
    (tmp_path / "mongodb.yaml").write_text(yaml.safe_dump(declaration))
    password = {"meetings": servers.memory.password("meetings")}

    grants.grant(servers.mongodb_admin_uri, password, tmp_path / "mongodb.yaml")
    assert meetings["scratch"].insert_one({}).acknowledged

    grants.grant(servers.mongodb_admin_uri, password)
    with pytest.raises(OperationFailure) as undeclared:
        meetings["scratch"].insert_one({})
    assert refused(undeclared)


def test_users_are_made_by_several_processes_concurrently(servers: Stack) -> None:
    with MongoClient[dict[str, Any]](servers.mongodb_admin_uri) as client, ThreadPoolExecutor(8) as pool:
        for number in range(3):
            service = f"synthetic-{number}"
            outcomes = [pool.submit(grants.grant, servers.mongodb_admin_uri, {service: "Synthetic"}) for _ in range(8)]
            assert [each.result() for each in outcomes] == [None] * 8
            owned = client[grants.database(service)]
            assert [user["user"] for user in owned.command("usersInfo")["users"]] == [service]
            owned.command("dropUser", service)
            owned.command("dropRole", service)


async def test_topics_are_as_declared(servers: Stack) -> None:
    admin = AIOKafkaAdminClient(**servers.kafka_admin.client())
    await admin.start()
    try:
        described = await admin.describe_topics()
    finally:
        await admin.close()
    partitions = {topic["topic"]: len(topic["partitions"]) for topic in described}
    declared = {f"throughline.{service}": 6 for service in ALL_FOUR} | {"throughline.checkpoints": 4}
    assert partitions.items() >= declared.items()
    topics.ensure(servers.kafka_admin)
    done = throughline(servers, "topics", "ensure")
    assert done.exit_code == 0, done.output


def test_a_topic_that_differs_is_named_and_left_unchanged(servers: Stack, tmp_path: Path) -> None:
    declaration = yaml.safe_load(topics.DECLARATION.read_text())
    declaration["topics"]["throughline.meetings"]["partitions"] = 7
    declaration["config"]["retention.ms"] = 1000
    (tmp_path / "topics.yaml").write_text(yaml.safe_dump(declaration))

    with pytest.raises(CannotStart) as refusal:
        topics.ensure(servers.kafka_admin, topics.declared(tmp_path / "topics.yaml"))

    assert "throughline.meetings: 6 partitions, declared 7" in str(refusal.value)
    assert "throughline.nominations: retention.ms is -1, declared 1000" in str(refusal.value)
    with pytest.raises(CannotStart, match=r"throughline\.meetings: 1 copies of each record, declared 3: reassign"):
        topics.ensure(servers.kafka_admin, topics.declared(profile="deployed"))
    topics.ensure(servers.kafka_admin)


async def test_describing_a_topic_does_not_create_it(servers: Stack) -> None:
    admin = AIOKafkaAdminClient(**servers.kafka_admin.client())
    await admin.start()
    try:
        await admin.describe_topics(["throughline.misspelt"])
        assert "throughline.misspelt" not in await admin.list_topics()
    finally:
        await admin.close()


def test_mail_is_stored_with_its_envelope(servers: Stack) -> None:
    message = EmailMessage()
    message["Subject"] = "Synthetic notice"
    message.set_content("A recommendation was transmitted.")
    host, _, port = servers.environment("notifications")["THROUGHLINE_SMTP_HOST"], None, servers.memory.ports()["smtp"]
    with smtplib.SMTP(host, port) as client:
        client.send_message(message, "throughline@localhost.invalid", ["one@example.invalid", "two@example.invalid"])

    [file] = servers.mail.glob("*.eml")
    stored = message_from_bytes(file.read_bytes())
    assert stored["X-MailFrom"] == "throughline@localhost.invalid"
    assert stored["X-RcptTo"] == "one@example.invalid, two@example.invalid"
    assert stored["Subject"] == "Synthetic notice"
    assert "A recommendation was transmitted." in stored.get_payload()


@pytest.mark.drill
def test_a_second_start_reports_the_running_stack_and_leaves_it_alone(servers: Stack) -> None:
    before = servers.memory.processes()
    assert before.keys() == {"kafka", "mongodb", "smtp", "issuer"}
    command = [sys.executable, "-c", UP, "stack", "up", "--servers-only", "--home", str(servers.home)]
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode == 0
    assert "already running" in second.stdout
    with pytest.raises(AlreadyRunning):
        servers.start()
    assert servers.memory.processes() == before
    assert {status.state for status in servers.status().values()} == {"up"}


def name_kafka(servers: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the servers' Kafka and its administrator into the environment."""
    for name, value in servers.kafka_admin.settings().items():
        monkeypatch.setenv(f"THROUGHLINE_{name.upper()}", value)


@pytest.mark.drill
def test_existing_servers_are_used_instead(servers: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    name_kafka(servers, monkeypatch)
    monkeypatch.setenv("THROUGHLINE_MONGODB", servers.mongodb_admin_uri)
    try:
        with temporary(services=()) as second:
            assert list(second.pids()) == ["smtp", "issuer"]
            assert second.kafka_admin == servers.kafka_admin
            assert second.kafka.password != servers.kafka.password
            everything_on(second.kafka, "meetings")  # as the reader, with the new password
            with MongoClient[dict[str, Any]](second.mongodb_uri("meetings")) as client:
                assert client["throughline_meetings"]["ledger"].insert_one({}).acknowledged
            assert {status.state for status in second.status().values()} == {"up"}
    finally:
        grants.grant(servers.mongodb_admin_uri, {name: servers.memory.password(name) for name in ALL_FOUR})
        kafka_users.ensure(servers.kafka_admin, servers.memory.kafka_passwords())


def test_an_existing_mongodb_without_the_right_to_make_users_is_refused(
    servers: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_kafka(servers, monkeypatch)
    monkeypatch.setenv("THROUGHLINE_MONGODB", servers.mongodb_uri("meetings"))
    with pytest.raises(CannotStart, match="userAdminAnyDatabase"), temporary(services=()):
        pass


def test_an_existing_mongodb_without_the_right_to_create_indexes_is_refused(
    servers: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = uuid4().hex
    with MongoClient[dict[str, Any]](servers.mongodb_admin_uri) as client:
        client.admin.command("createUser", "synthetic", pwd=password, roles=["userAdminAnyDatabase"])
        admin = servers.memory.password("admin")
        uri = servers.mongodb_admin_uri.replace(f"admin:{admin}@", f"synthetic:{password}@")
        name_kafka(servers, monkeypatch)
        monkeypatch.setenv("THROUGHLINE_MONGODB", uri)
        try:
            with pytest.raises(CannotStart, match="dbAdminAnyDatabase"), temporary(services=()):
                pass
        finally:
            client.admin.command("dropUser", "synthetic")
            grants.grant(servers.mongodb_admin_uri, {name: servers.memory.password(name) for name in ALL_FOUR})


async def test_a_topic_made_by_hand_with_too_few_partitions_stops_the_start(servers: Stack) -> None:
    by_hand = Topics({"throughline.synthetic": 6}, topics.declared().config, 1, {})
    admin = AIOKafkaAdminClient(**servers.kafka_admin.client())
    await admin.start()
    try:
        await admin.create_topics([NewTopic("throughline.synthetic", 1, 1)])
        with pytest.raises(CannotStart, match=r"throughline\.synthetic: 1 partitions, declared 6"):
            topics.ensure(servers.kafka_admin, by_hand)
    finally:
        await admin.delete_topics(["throughline.synthetic"])
        await admin.close()

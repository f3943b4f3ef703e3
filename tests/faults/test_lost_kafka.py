"""G12: Kafka lost, and had again from the ledgers: traces as they were byte for byte, nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from pymongo import MongoClient

from services.recommendations.trace import trace_bytes
from shared.ledger.checkpoint_topic import checkpoints_published
from shared.tlog.keys import LogKeys, origin_of
from shared.tlog.trust import LogTrust
from tests.cli.terminal import PUBLIC_RECORD, output_of, throughline
from tests.faults.relaying import administrator
from tests.journey.office import Desk
from tests.patience import AT_MOST_SECONDS
from tools.deployment import grants, topics
from tools.local import log_keys
from tools.local.stack import ALL_FOUR, Stack, temporary

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.drill]


@pytest.fixture(scope="module")
def platform() -> Iterator[Stack]:
    """A whole platform of its own, with the public record and a subscriber to it."""
    with temporary(say=lambda _: None) as running:
        desk = Desk(running)
        desk.send(
            "notifications", "/subscriptions", subscription="s-lost",
            details={"name": "Synthetic", "address": "synthetic@localhost.invalid"}, events=["RecommendationAdopted"],
        )  # fmt: skip
        desk.query("notifications", "/subscriptions/s-lost", at_least=1, wait=20)
        done = throughline(running, "import", "record", str(PUBLIC_RECORD))
        assert done.exit_code == 0, done.output
        wait_for(lambda: mails(running) == len(traces(running)) > 0)
        wait_until_idle(running)
        yield running


def wait_until_idle(stack: Stack) -> None:
    """Wait until all services are ready, and have consumed what there is."""
    until = time.monotonic() + AT_MOST_SECONDS
    while troubles(stack) or lag(stack) or len(set(recorded(stack).values())) == 0:
        assert time.monotonic() < until, (troubles(stack), lag(stack))
        time.sleep(0.5)


def troubles(stack: Stack) -> dict[str, str]:
    """Return the troubles of services that are not ready."""
    by_service: dict[str, str] = {}
    for service, url in stack.urls.items():
        answer = httpx2.get(f"{url}/readyz", trust_env=False, timeout=AT_MOST_SECONDS)
        if answer.status_code != 200:
            by_service[service] = " ".join(answer.json()["troubles"].values())
    return by_service


def lag(stack: Stack) -> int:
    """Return the number of ledgered events that some reader's journal lacks."""
    wanted = {
        "recommendations": ALL_FOUR[:3],
        "meetings": ALL_FOUR[:3],
        "nominations": ("nominations",),
        "notifications": ALL_FOUR,
    }
    with MongoClient[dict[str, Any]](stack.mongodb_admin_uri) as client:
        missing = 0
        for reader, sources in wanted.items():
            held = {
                (row["_id"]["s"], row["_id"]["v"])
                for row in client[grants.database(reader)].journal.find({}, {"_id": 1})
            }
            for source in sources:
                missing += len(ledgered(client, source) - held)
        return missing


def ledgered(client: MongoClient[dict[str, Any]], service: str) -> set[tuple[str, int]]:
    ledger = client[grants.database(service)].ledger
    return {(stream, version) for batch in ledger.find() for stream, version, _ in batch["entries"]}


def recorded(stack: Stack) -> dict[str, int]:
    """Return the number of recorded events of each service: a policy that runs twice adds one."""
    with MongoClient[dict[str, Any]](stack.mongodb_admin_uri) as client:
        return {service: len(ledgered(client, service)) for service in ALL_FOUR}


def traces(stack: Stack) -> dict[str, bytes]:
    """Return the compared bytes of each live trace."""
    with MongoClient[dict[str, Any]](stack.mongodb_admin_uri) as client:
        return {each["_id"]: trace_bytes(each) for each in client[grants.database("recommendations")].traces.find()}


def mails(stack: Stack) -> int:
    return len(list(stack.mail.glob("*.eml")))


def named_in_trouble(stack: Stack, *services: str) -> None:
    """Wait until these services are not ready, and name the command to run."""
    until = time.monotonic() + AT_MOST_SECONDS
    while not all(f"run: throughline republish {service}" in troubles(stack).get(service, "") for service in services):
        assert time.monotonic() < until, troubles(stack)
        time.sleep(0.5)


async def delete(stack: Stack, *names: str) -> None:
    async with administrator(stack.kafka_admin) as admin:
        await admin.delete_topics(list(names))


def republish(stack: Stack, *services: str) -> None:
    for service in services:
        done = throughline(stack, "republish", service)
        assert done.exit_code == 0, done.output
        assert f"Republished {service}" in output_of(done)


def assert_had_again(stack: Stack, before: tuple[dict[str, bytes], dict[str, int], int]) -> None:
    """Assert that Kafka makes the live traces again, that these are as before, and that nothing took effect twice."""
    wait_until_idle(stack)
    done = throughline(stack, "replay", "--compare")
    assert done.exit_code == 0, done.output
    time.sleep(3)
    assert (traces(stack), recorded(stack), mails(stack)) == before
    wait_for(lambda: not missing_checkpoints(stack))
    for service in ALL_FOUR:
        done = throughline(stack, "dead-letters", "list", "--service", service, "--format", "json")
        assert done.stdout.strip() == "[]", done.output


def assert_consumed_again(stack: Stack, session: int) -> None:
    """Assert that a new event of one service reaches every reader."""
    desk = Desk(stack)
    desk.send("recommendations", "/sessions", session=session, starts_on="2030-11-04")
    desk.query("recommendations", f"/sessions/{session}", at_least=1, wait=20)
    with MongoClient[dict[str, Any]](stack.mongodb_admin_uri) as client:
        for reader in ("meetings", "notifications"):
            journal = client[grants.database(reader)].journal
            wait_for(lambda journal=journal: journal.find_one({"_id": {"s": f"session/{session}", "v": 1}}))


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


def wait_for(met: Callable[[], object]) -> None:
    until = time.monotonic() + AT_MOST_SECONDS
    while not met():
        assert time.monotonic() < until
        time.sleep(0.5)


def test_the_whole_data_folder_of_kafka_is_lost(platform: Stack):
    before = traces(platform), recorded(platform), mails(platform)
    assert before[0], "there is no trace"
    platform.stop()
    shutil.rmtree(platform.home / "kafka" / "data")
    platform.start()
    named_in_trouble(platform, *(service for service in ALL_FOUR if before[1][service]))
    republish(platform, *ALL_FOUR)
    assert_had_again(platform, before)
    assert_consumed_again(platform, 971)


def test_topics_are_deleted_and_made_again_under_running_services(platform: Stack):
    before = traces(platform), recorded(platform), mails(platform)
    asyncio.run(delete(platform, "throughline.recommendations", "throughline.checkpoints"))
    topics.ensure(platform.kafka_admin)
    named_in_trouble(platform, "recommendations")
    republish(platform, "recommendations")
    assert_had_again(platform, before)
    assert_consumed_again(platform, 972)


def test_the_folders_of_partitions_are_lost_while_the_broker_is_stopped(platform: Stack):
    before = traces(platform), recorded(platform), mails(platform)
    platform.stop_one("kafka")
    for folder in (platform.home / "kafka" / "data").glob("throughline.recommendations-*"):
        shutil.rmtree(folder)
    platform.start_one("kafka")
    named_in_trouble(platform, "recommendations")
    republish(platform, "recommendations")
    assert_had_again(platform, before)
    assert_consumed_again(platform, 973)


def test_a_service_that_is_killed_while_it_republishes_continues(platform: Stack):
    before = traces(platform), recorded(platform), mails(platform)
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

"""A whole platform that loses servers: what it held before, and whether it holds it again."""

from __future__ import annotations

import itertools
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
from pymongo import MongoClient

from services.recommendations.trace import trace_bytes
from tests.cli.terminal import PUBLIC_RECORD, output_of, throughline
from tests.journey.office import Desk
from tests.patience import AT_MOST_SECONDS
from tools.deployment import grants
from tools.local.stack import ALL_FOUR, Stack, temporary

CONSUMED = {
    "recommendations": ALL_FOUR[:3],
    "meetings": ALL_FOUR[:3],
    "nominations": ("nominations",),
    "notifications": ALL_FOUR,
}
NUMBERS = itertools.count(1)
Held = tuple[dict[str, bytes], dict[str, int], int]
"""Traces, number of recorded events by service, number of mails."""


@contextmanager
def a_platform() -> Iterator[Stack]:
    """Run a whole platform of its own, with the public record and a subscriber to it."""
    with temporary(say=lambda _: None) as running:
        subscribe(Desk(running), "s-lost")
        done = throughline(running, "import", "record", str(PUBLIC_RECORD))
        assert done.exit_code == 0, done.output
        wait_for(lambda: mails(running) == len(traces(running)) > 0)
        wait_until_idle(running)
        yield running


def subscribe(desk: Desk, subscription: str, person: str | None = None) -> None:
    """Subscribe a synthetic person to adoptions."""
    desk.send(
        "notifications", "/subscriptions", subscription=subscription, **({"person": person} if person else {}),
        details={"name": "Synthetic", "address": "synthetic@localhost.invalid"}, events=["RecommendationAdopted"],
    )  # fmt: skip
    desk.query("notifications", f"/subscriptions/{subscription}", at_least=1, wait=20)


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


def named_in_trouble(stack: Stack, command: str, *services: str) -> None:
    """Wait until these services are not ready, and name the command to run."""
    until = time.monotonic() + AT_MOST_SECONDS
    while not all(f"run: throughline {command} {service}" in troubles(stack).get(service, "") for service in services):
        assert time.monotonic() < until, troubles(stack)
        time.sleep(0.5)


def lag(stack: Stack) -> int:
    """Return the number of ledgered events that some reader's journal lacks."""
    with MongoClient[dict[str, Any]](stack.mongodb_admin_uri) as client:
        missing = 0
        for reader, sources in CONSUMED.items():
            held = {
                (row["_id"]["s"], row["_id"]["v"])
                for row in client[grants.database(reader)].journal.find({}, {"_id": 1})
            }
            for source in sources:
                missing += len(ledgered(client, source) - held)
        return missing


def ledgered(client: MongoClient[dict[str, Any]], service: str) -> set[tuple[str, int]]:
    """Return stream and version of every event in a service's ledger."""
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
    """Return the number of mails sent."""
    return len(list(stack.mail.glob("*.eml")))


def held(stack: Stack) -> Held:
    """Return what the platform holds, and what it has sent."""
    return traces(stack), recorded(stack), mails(stack)


def run(stack: Stack, *arguments: str) -> str:
    """Run a command that succeeds; return its output on one line."""
    done = throughline(stack, *arguments)
    assert done.exit_code == 0, done.output
    return output_of(done)


def assert_had_again(stack: Stack, before: Held) -> None:
    """Assert that Kafka makes the live traces again, that these are as before, and that nothing took effect twice."""
    wait_until_idle(stack)
    assert "identical" in run(stack, "replay", "--from", "kafka", "--compare")
    time.sleep(3)
    assert held(stack) == before
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


def wait_for(met: Callable[[], object]) -> None:
    """Wait until a condition is met."""
    until = time.monotonic() + AT_MOST_SECONDS
    while not met():
        assert time.monotonic() < until
        time.sleep(0.5)


def lose_mongodb(stack: Stack) -> None:
    """Destroy the data of the stopped database."""
    shutil.rmtree(stack.home / "mongodb" / "data")
    (stack.home / "mongodb" / "member.json").unlink()


def lose_kafka(stack: Stack) -> None:
    """Destroy the data of the stopped broker."""
    shutil.rmtree(stack.home / "kafka" / "data")


@contextmanager
def load(stack: Stack) -> Iterator[list[str]]:
    """Draft recommendations one after another meanwhile; yield the streams of those that were accepted."""
    accepted: list[str] = []
    faults: list[BaseException] = []
    done = threading.Event()

    def work() -> None:
        desk = Desk(stack)
        try:
            while not done.is_set():
                reference = f"SYN/2033/R{next(NUMBERS)}"
                answer = desk.send("recommendations", "/recommendations", reference=reference, title="Synthetic")
                accepted.append(answer["stream"])
        except BaseException as fault:  # noqa: BLE001
            faults.append(fault)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        wait_for(lambda: len(accepted) > 20 or faults)
        yield accepted
        at_end = len(accepted)
        wait_for(lambda: len(accepted) > at_end + 20 or faults)
    finally:
        done.set()
        worker.join()
    assert not faults, faults

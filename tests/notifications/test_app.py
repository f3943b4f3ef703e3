"""The service as a process, on real Kafka, MongoDB and SMTP: queried over HTTP, killed in mid-delivery, replayed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from aiokafka import AIOKafkaProducer
from aiosmtpd.smtp import SMTP, Envelope, Session
from pymongo import MongoClient

from shared.consumer.record import POSITION, KafkaRecord, service_of_topic
from shared.events.recommendations import RecommendationWithdrawn
from shared.tlog.keys import LogKeys, origin_of
from tests.notifications.instance import recommended
from tests.notifications.smtp import ADDRESS, Mailbox
from tests.patience import AT_MOST_SECONDS
from tests.proofs import signed_headers
from tools.client.tokens import mint
from tools.local.log_keys import DEPLOYMENT, key_file
from tools.local.stack import Stack

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("throughline names")]


@pytest.fixture
async def mailbox() -> AsyncIterator[tuple[Mailbox, int]]:
    mailbox = Deadly()
    async with mailbox.open() as port:
        yield mailbox, port


class Deadly(Mailbox):
    """A server that stores a message, and may kill its sender before the answer."""

    victim: subprocess.Popen[bytes] | None = None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = await super().handle_DATA(server, session, envelope)
        if self.victim is not None:
            self.victim.kill()
            self.victim.wait()
            self.victim = None
        return answer


@contextmanager
def running(stack: Stack, smtp_port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the service in its own process, stopped with SIGTERM."""
    own = {
        "THROUGHLINE_SMTP_PORT": str(smtp_port),
        "THROUGHLINE_SMTP_TIMEOUT": "0.5",
        "THROUGHLINE_INTERRUPTED_AFTER": "1.5",
        "THROUGHLINE_LOOK_EVERY": "0.05",
    }
    command = [sys.executable, "-m", "services.notifications.app"]
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=stack.environment("notifications") | own, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(AT_MOST_SECONDS)


class Client:
    """A client of the service by role."""

    def __init__(self, stack: Stack) -> None:
        port = stack.environment("notifications")["THROUGHLINE_PORT"]
        self.http = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=AT_MOST_SECONDS)
        self.stack = stack

    async def request(
        self, method: str, path: str, role: str = "secretariat", command_id: str = "", **more: Any
    ) -> httpx2.Response:
        headers = {
            "Authorization": f"Bearer {mint(self.stack.home, role=role, subject='synthetic-person')}",
            "Idempotency-Key": command_id or str(uuid4()),
        }
        return await self.http.request(method, path, headers=headers, **more)

    async def until_ready(self) -> None:
        await until(self._ready)

    async def _ready(self) -> bool:
        try:
            return (await self.http.get("/readyz")).status_code == httpx2.codes.OK
        except httpx2.TransportError:
            return False

    async def of(self, subscription: str, standing: str) -> list[dict[str, Any]]:
        """Return the notifications of a subscription with a standing."""
        query = {"subscription": subscription, "standing": standing}
        answer = (await self.request("GET", "/notifications", "auditor", params=query)).raise_for_status()
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def subscribe(
        self, subscription: str, event: str, address: str = ADDRESS, command_id: str = ""
    ) -> httpx2.Response:
        details = {"name": "Synthetic Reader", "address": address}
        body = {"subscription": subscription, "details": details, "events": [event]}
        return await self.request("POST", "/subscriptions", command_id=command_id, json=body)


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(AT_MOST_SECONDS):
        while not await true():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def publish(stack: Stack, record: KafkaRecord) -> None:
    """Publish a foreign event as its relay would, signed by the key of its log."""
    service = service_of_topic(record.topic)
    keys = LogKeys.parse(key_file(stack.home, service).read_text(), origin_of(DEPLOYMENT, service))
    headers = signed_headers(record.value or b"", int(dict(record.headers)[POSITION]), keys.signer)
    async with AIOKafkaProducer(**stack.kafka_admin.client()) as producer:
        await producer.send_and_wait(record.topic, record.value, key=record.key, headers=list(headers))


def rewind(stack: Stack) -> None:
    """Delete the stored offsets and the journal of the service."""
    with MongoClient[Any](stack.mongodb_admin_uri) as client:
        for collection in ("progress", "states", "journal"):
            client["throughline_notifications"][collection].delete_many({})


async def subscribes_once(client: Client) -> None:
    """Subscribe with what is wrong, which is named and not repeated; then rightly, twice with one command id."""
    wrong = await client.subscribe("journey", "RecommendationAdopted", address="synthetic.reader at example.org")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "body.details.address")
    assert "synthetic.reader" not in wrong.text
    unknown = await client.subscribe("journey", "RecommendationApplauded")
    assert (unknown.status_code, unknown.json()["rule"]) == (422, "SubscriptionNamesUnknownEvent")
    for replayed in (False, True):
        answer = await client.subscribe("journey", "RecommendationAdopted", command_id="synthetic-command")
        assert answer.raise_for_status().json()["replayed"] is replayed


async def test_a_subscriber_is_notified_once_and_a_replay_notifies_nobody(
    servers: Stack, mailbox: tuple[Mailbox, int], tmp_path: Path
) -> None:
    stored, port = mailbox[0].stored, mailbox[1]
    client, log = Client(servers), tmp_path / "log"

    async def notified() -> bool:
        return len(await client.of("journey", "delivered")) == 1

    with running(servers, port, log) as process:
        await client.until_ready()
        await subscribes_once(client)
        await publish(servers, recommended("CED/2031/R1"))
        await until(notified)
        shown = (await client.request("GET", "/subscriptions/journey")).json()["state"]
        assert shown["details"] == {"name": "Synthetic Reader", "address": ADDRESS}
        audited = await client.request("GET", "/subscriptions/journey", "auditor")
        assert audited.json()["state"]["added"]["sealed"]["box"]
        assert ADDRESS not in audited.text
        for role in ("expert", "chair", "operator"):
            assert (await client.request("GET", "/subscriptions/journey", role)).status_code == 403
        assert (await client.request("POST", "/subscriptions/journey/remove", "auditor", json={})).status_code == 403
        unknown = await client.request("POST", "/subscriptions/nobody/remove", json={})
        assert (unknown.status_code, unknown.json()["rule"]) == (409, "OutOfOrder")
    assert process.returncode == 0

    rewind(servers)
    with running(servers, port, log) as process:
        await client.until_ready()
        await until(notified)
        rebuilt = await client.request("POST", "/operations/rebuild")
        assert b'"finished":true' in rebuilt.content
        await asyncio.sleep(0.5)
        assert await notified()
    assert len(stored) == 1
    assert ADDRESS not in log.read_text()
    assert '"event":"notification_delivered"' in log.read_text().replace('": "', '":"')


@pytest.mark.drill
async def test_a_sender_killed_before_the_answer_leaves_it_uncertain_until_a_person_decides(
    servers: Stack, mailbox: tuple[Deadly, int], tmp_path: Path
) -> None:
    box, port = mailbox
    client, log = Client(servers), tmp_path / "log"

    async def uncertain() -> bool:
        return len(await client.of("killed", "uncertain")) == 1

    with running(servers, port, log) as process:
        await client.until_ready()
        (await client.subscribe("killed", "RecommendationWithdrawn")).raise_for_status()
        box.victim = process
        withdrawn = RecommendationWithdrawn(reason="synthetic")
        await publish(servers, recommended("CED/2032/R1", event=withdrawn))
        await asyncio.to_thread(process.wait, AT_MOST_SECONDS)
    assert process.returncode == -9
    with running(servers, port, log):
        await client.until_ready()
        await until(uncertain)
        assert len(box.stored) == 1
        [shown] = await client.of("killed", "uncertain")
        assert shown["state"]["uncertain"]["reason"] == "interrupted"
        resend = f"/notifications/{shown['state']['planned']['notification']}/resend"
        assert (await client.request("POST", resend, "operator", json={})).status_code == 403
        (await client.request("POST", resend, json={"note": "the reader has not seen it"})).raise_for_status()
        assert (await client.request("POST", resend, json={})).json()["rule"] == "OutOfOrder"
    first, second = (message_from_bytes(raw)["Message-ID"] for raw in box.stored)
    assert first == second

"""Health: alive, making progress or not and why, and the series that an operator watches."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from motor.motor_asyncio import AsyncIOMotorClient
from prometheus_client.parser import text_string_to_metric_families
from pymongo.errors import OperationFailure, ServerSelectionTimeoutError

from shared.http.app import make_app
from shared.http.health import Measure
from shared.runtime import telemetry
from shared.runtime.settings import Settings
from shared.runtime.telemetry import Pulse
from shared.store.event_store import EventStore
from tests.http.asking import Caller, accepted, meeting, new_id
from tests.http.attacked import ACTOR_KEY
from tests.patience import AT_MOST_SECONDS
from tools.client import tokens
from tools.local.stack import ALL_FOUR, Stack

pytestmark = pytest.mark.servers
SERIES = {
    "throughline_commands",
    "throughline_command_seconds",
    "throughline_unauthenticated",
    "throughline_relayed_events",
    "throughline_relay_published_position",
    "throughline_consumed_events",
    "throughline_consumer_lag",
    "throughline_dead_letters",
    "throughline_stalled_streams",
    "throughline_batch_seconds",
    "throughline_notifications",
    "throughline_refusals",
    "throughline_checkpoint_signed_timestamp_seconds",
    "throughline_consumer_lag_seconds",
    "throughline_build_info",
    "throughline_ready",
    "throughline_database_answers",
    "throughline_loop_silent_seconds",
    "throughline_loop_trouble",
    "throughline_store_closed",
    "throughline_not_measured",
    "throughline_clock_ahead_seconds",
    "throughline_relay_leads",
    "throughline_unpublished_age_seconds",
    "throughline_unsigned_age_seconds",
    "throughline_dead_letters_open",
    "throughline_database_bytes",
    "throughline_database_disk_used_bytes",
    "throughline_database_disk_bytes",
    "throughline_notifications_standing",
}


@pytest.mark.parametrize("service", ALL_FOUR)
def test_a_service_is_alive_ready_and_measured(service: str, stack: Stack, web: httpx2.Client) -> None:
    url = stack.urls[service]
    paths = ("healthz", "livez", "servez", "readyz", "metrics")
    alive, live, serving, ready, measured = (web.get(f"{url}/{path}") for path in paths)
    assert (alive.status_code, alive.json()) == (200, {"status": "alive"})
    assert (live.status_code, live.json()) == (200, {"alive": True, "hung": []})
    assert (serving.status_code, serving.json()) == (200, {"serving": True, "troubles": {}})
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "troubles": {}})
    assert measured.headers["Content-Type"].startswith("text/plain")
    families = {family.name: family for family in text_string_to_metric_families(measured.text)}
    assert families.keys() >= SERIES
    samples = [sample for name in SERIES for sample in families[name].samples]
    assert {sample.labels["service"] for sample in samples} == {service}


def test_a_service_under_attack_reports_its_health_and_takes_commands(stack: Stack, caller: Any) -> None:
    port = int(stack.urls["meetings"].rpartition(":")[2])
    asking: Caller = caller()
    attackers = []
    for number in range(2 * Settings.model_fields["connections"].default):
        attackers.append(socket.create_connection(("127.0.0.1", port), timeout=AT_MOST_SECONDS))
        attackers[-1].sendall(b"GET /meetings HTTP/1.1\r\n" if number % 2 else b"")
    for path in ("/healthz", "/livez", "/servez", "/readyz", "/metrics"):
        assert httpx2.get(stack.urls["meetings"] + path, timeout=AT_MOST_SECONDS, trust_env=False).status_code == 200
    accepted(asking.post("meetings", "/meetings", meeting(new_id("meeting"))))
    for each in attackers:
        each.close()


def test_commands_are_counted_by_outcome(stack: Stack, caller: Any) -> None:
    asking: Caller = caller()
    before = counted(asking)
    for _ in range(2):
        asking.post("meetings", "/meetings/synthetic-nothing/cancel", {"reason": "Synthetic"})
    assert counted(asking) == before + 2


def counted(asking: Caller) -> float:
    families = text_string_to_metric_families(asking.get("meetings", "/metrics").text)
    wanted = {"service": "meetings", "command": "CancelMeeting", "outcome": "OutOfOrder"}
    return sum(
        s.value for family in families for s in family.samples if s.labels == wanted and s.name.endswith("_total")
    )


def value(measured: str, name: str) -> float | None:
    """The value of a metric without labels but the service's."""
    families = text_string_to_metric_families(measured)
    return next((s.value for family in families for s in family.samples if s.name == name), None)


def test_refusals_are_counted_by_rule_and_status(stack: Stack, caller: Any) -> None:
    asking: Caller = caller()
    wanted = {"service": "meetings", "rule": "SchemaViolation", "status": "422"}

    def counted() -> float:
        families = text_string_to_metric_families(asking.get("meetings", "/metrics").text)
        return sum(
            s.value for each in families for s in each.samples if s.labels == wanted and s.name.endswith("total")
        )

    before = counted()
    assert asking.get("meetings", "/meetings", limit="none").status_code == 422
    assert counted() == before + 1


@asynccontextmanager
async def an_app(
    uri: str, jwks: str, *pulses: Pulse, fenced: str = "", measures: Sequence[Measure] = ()
) -> AsyncIterator[httpx2.AsyncClient]:
    """A service of nothing but its health, on a database at `uri`."""
    settings = Settings(
        kafka="127.0.0.1:9",
        mongodb=uri,
        database="throughline_synthetic",
        jwks=jwks,
        actor_key=ACTOR_KEY,
        not_ready_after=0.2,
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield

    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(uri, serverSelectionTimeoutMS=300)
    database = client[settings.database]
    store = EventStore(database)
    if fenced:
        store.fence(fenced)
    app = make_app("meetings", settings, database, [], pulses, lifespan, store, measures)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://synthetic") as web:
        yield web
    client.close()


@pytest.fixture
def jwks(tmp_path: Path) -> str:
    """The file of a key of its own."""
    tokens.make_key(tmp_path)
    return str(tmp_path / tokens.JWKS_FILE)


async def test_a_loop_that_makes_no_progress_is_named(stack: Stack, jwks: str) -> None:
    relay, subscriber = Pulse("relay"), Pulse("subscriber")
    async with an_app(stack.mongodb_admin_uri, jwks, relay, subscriber) as web:
        begun = await web.get("/readyz")
        assert (begun.status_code, begun.json()) == (
            503,
            {"ready": False, "troubles": {"relay": "not started", "subscriber": "not started"}},
        )
        relay.beat()
        subscriber.fault("consumer not started")
        assert (await web.get("/readyz")).json()["troubles"] == {"subscriber": "consumer not started"}
        subscriber.beat()
        assert (await web.get("/readyz")).json() == {"ready": True, "troubles": {}}
        await asyncio.sleep(0.3)
        relay.beat()
        silent = (await web.get("/readyz")).json()["troubles"]
        assert silent.keys() == {"subscriber"}
        assert re.fullmatch(r"no progress for \d+ s", silent["subscriber"])
        subscriber.fault("KafkaConnectionError")
        assert (await web.get("/readyz")).json()["troubles"] == {"subscriber": "KafkaConnectionError"}
        subscriber.beat()
        relay.stop("its topic holds what the store lacks")
        stopped = await web.get("/readyz")
        assert (stopped.status_code, stopped.json()["troubles"]) == (
            503,
            {"relay": "its topic holds what the store lacks"},
        )
        assert (await web.get("/healthz")).status_code == 200


async def test_a_database_that_is_not_there_is_named_without_its_address(jwks: str) -> None:
    async with an_app("mongodb://synthetic-user:synthetic-secret@127.0.0.1:9/", jwks) as web:
        answer = await web.get("/readyz")
        assert (answer.status_code, answer.json()["troubles"]) == (503, {"mongodb": "ServerSelectionTimeoutError"})
        assert "synthetic-secret" not in answer.text


async def test_a_service_serves_whatever_its_loops_do_but_not_with_a_closed_store(stack: Stack, jwks: str) -> None:
    relay = Pulse("relay", trouble="Kafka: KafkaConnectionError")
    async with an_app(stack.mongodb_admin_uri, jwks, relay) as web:
        assert (await web.get("/servez")).json() == {"serving": True, "troubles": {}}
    async with an_app(stack.mongodb_admin_uri, jwks, fenced="its topic holds what the store lacks") as web:
        answer = await web.get("/servez")
        assert (answer.status_code, answer.json()["troubles"]) == (
            503,
            {"store": "its topic holds what the store lacks"},
        )
        assert value((await web.get("/metrics")).text, "throughline_store_closed") == 1


async def test_a_service_with_a_hung_loop_is_not_alive(jwks: str) -> None:
    hung = Pulse("relay")
    async with an_app("mongodb://127.0.0.1:9/", jwks, hung) as web:
        assert (await web.get("/livez")).status_code == 200
        hung.is_hung = True
        answer = await web.get("/livez")
        assert (answer.status_code, answer.json()) == (503, {"alive": False, "hung": ["relay"]})


async def test_metrics_are_answered_without_a_database_and_leave_out_what_it_holds(jwks: str) -> None:
    async def measured() -> None:
        telemetry.OPEN_DEAD_LETTERS.labels("meetings").set(7)
        raise ServerSelectionTimeoutError("synthetic")

    async with an_app("mongodb://127.0.0.1:9/", jwks, Pulse("relay"), measures=[measured]) as web:
        answer = await web.get("/metrics")
        assert answer.status_code == 200
        assert value(answer.text, "throughline_database_answers") == 0
        assert value(answer.text, "throughline_ready") == 0
        assert value(answer.text, "throughline_dead_letters_open") is None


async def test_a_measure_that_fails_is_counted_beside_those_that_do_not(stack: Stack, jwks: str) -> None:
    async def fails() -> None:
        raise OperationFailure("synthetic: not authorized", 13)

    for measures, failing in (([fails], 1), ([], 0)):
        async with an_app(stack.mongodb_admin_uri, jwks, measures=measures) as web:
            assert value((await web.get("/metrics")).text, "throughline_not_measured") == failing


@pytest.fixture
def broken_jwks(jwks: str) -> str:
    """The same file with a key of an unknown curve before the other."""
    usable = json.loads(Path(jwks).read_text())["keys"]
    Path(jwks).write_text(json.dumps({"keys": [{"kty": "EC", "crv": "P-1024", "kid": "synthetic-key"}, *usable]}))
    return jwks


async def test_a_service_without_keys_is_not_ready_and_one_with_a_broken_key_says_so(
    stack: Stack, broken_jwks: str
) -> None:
    async with an_app(stack.mongodb_admin_uri, "/nowhere") as web:
        answer = await web.get("/readyz")
        assert (answer.status_code, answer.json()["troubles"]) == (
            503,
            {"keys": "no key to check tokens with: FileNotFoundError"},
        )
    async with an_app(stack.mongodb_admin_uri, broken_jwks) as web:
        answer = await web.get("/readyz")
        assert (answer.status_code, answer.json()["warnings"]) == (
            200,
            {"keys": "cannot be used, and are skipped: synthetic-key"},
        )

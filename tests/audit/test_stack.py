"""The audit on real servers: signed, served, published, exported over HTTP and from Kafka, verified, tampered with."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from aiokafka import AIOKafkaProducer
from pymongo import MongoClient

from services.recommendations.trace.provenance import versions_behind
from shared.consumer.record import headers_of
from shared.consumer.topic_reader import read_topic
from shared.domain.dates import day_in_the_world
from shared.events.canonical import canonical, leaf_hash
from shared.events.catalogue import SERVICES
from shared.tlog.checkpoints import Checkpoint, opened
from shared.tlog.keys import LogKeys
from shared.tlog.notes import Note, Verifier
from shared.tlog.tiles import tiles_of
from tests.cli.terminal import PUBLIC_RECORD, output_of, throughline
from tests.http.asking import Caller
from tests.patience import AT_MOST_SECONDS
from tests.proofs import signed_headers
from tools.audit.bundle import Bundle
from tools.audit.coverage import unsigned_versions
from tools.client.connection import Connection
from tools.client.services import Services
from tools.deployment import grants
from tools.local.log_keys import key_file
from tools.local.stack import Stack, temporary

pytestmark = [pytest.mark.servers, pytest.mark.drill]
SERVICE = "recommendations"


@pytest.fixture(scope="module")
def loaded() -> Iterator[Stack]:
    """A stack for this module only, because its tests tamper with it."""
    with temporary(say=lambda _: None) as running:
        done = throughline(running, "import", "record", str(PUBLIC_RECORD))
        assert done.exit_code == 0, done.output
        yield running


@pytest.fixture(scope="module")
def auditor(loaded: Stack, web: httpx2.Client) -> Caller:
    """An auditor, once checkpoints cover every published event."""
    caller = Caller(loaded, web, "auditor")
    for service in SERVICES:
        signed(loaded, caller, service)
    return caller


def published(stack: Stack, service: str) -> int:
    with MongoClient[dict[str, Any]](stack.mongodb_admin_uri) as client:
        document = client[grants.database(service)].relay.find_one({"_id": "published"})
    return int(document["position"]) if document else 0


def signed(stack: Stack, caller: Caller, service: str, seconds: float = AT_MOST_SECONDS) -> Checkpoint:
    """Return the newest checkpoint once it covers every published event."""
    until = time.monotonic() + seconds
    while True:
        answer = caller.get(service, "/log/checkpoint")
        if answer.status_code == 200:
            newest = Checkpoint.parse(Note.parse(answer.content).text)
            if newest.size == published(stack, service):
                return newest
        assert time.monotonic() < until, answer.text
        time.sleep(0.2)


def vkeys(stack: Stack) -> list[str]:
    return [
        LogKeys.parse(key_file(stack.home, service).read_text(), f"throughline.local/{service}").signer.verifier.vkey
        for service in SERVICES
    ]


def pinned(stack: Stack) -> list[str]:
    return [argument for key in vkeys(stack) for argument in ("--key", key)]


@pytest.fixture(scope="module")
def exported(loaded: Stack, auditor: Caller, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stack") / "export"
    done = throughline(loaded, "audit", "export", str(folder))
    assert done.exit_code == 0, done.output
    return folder


def test_an_export_over_http_is_verified_offline(loaded: Stack, exported: Path) -> None:
    done = throughline(None, "audit", "verify", str(exported), *pinned(loaded), "--format", "json")
    report = orjson.loads(done.stdout)
    assert done.exit_code == 0, done.output
    assert report["verified"]
    assert {name: log["size"] for name, log in report["logs"].items()} == {
        name: published(loaded, name) for name in SERVICES
    }
    assert "verified: " in output_of(throughline(None, "audit", "verify", str(exported)))


def test_the_digests_are_those_of_the_live_traces(exported: Path, auditor: Caller) -> None:
    from services.recommendations.trace import trace_bytes
    from shared.events.canonical import sha256_hex

    digests = Bundle(exported).traces()["traces"]
    live = {item["recommendation"]["reference"]: item for item in auditor.get(SERVICE, "/traces").json()["items"]}
    assert {"CED/2022/R1", "CED/2020/R1"} <= digests.keys()
    for reference, digest in digests.items():
        assert digest["based_on"] == live[reference]["based_on"]
        assert digest["digest"] == sha256_hex(trace_bytes(live[reference]))


def test_the_place_of_each_event_behind_a_trace_is_that_of_the_logs(exported: Path, auditor: Caller) -> None:
    entries = {name: dict(log.entries()) for name, log in Bundle(exported).logs.items()}
    for query in ("", "?as_of=2022-11-30", "?known_at=2100-01-01T00:00:00Z"):
        answer = auditor.get(SERVICE, f"/traces/CED/2022/R1/provenance{query}").json()
        behind = versions_behind(answer["trace"]["provenance"]["statements"])
        head = next(head for stream, head, _ in answer["trace"]["based_on"] if stream == "recommendation/CED/2022/R1")
        behind["recommendation/CED/2022/R1"] = set(range(1, head + 1))
        places = answer["events"]
        assert [(each["stream"], each["version"]) for each in places] == [
            (stream, version) for stream in sorted(behind) for version in sorted(behind[stream])
        ]
        for each in places:
            raw = entries[each["service"]][each["position"]]
            event = orjson.loads(raw)
            assert (event["subject"], int(event["streamversion"])) == (each["stream"], each["version"])
            assert leaf_hash(raw) == each["leaf"]
            assert (each["time"], each["actor"], each["role"]) == (event["time"], event["actor"], event["role"])
            assert each["day"] == day_in_the_world(event["data"])
        assert answer["trace"] == auditor.get(SERVICE, f"/traces/CED/2022/R1{query}").json()["trace"]


def test_only_those_who_read_recorded_events_are_told_who_recorded_one(loaded: Stack, web: httpx2.Client) -> None:
    places = Caller(loaded, web, "chair").get(SERVICE, "/traces/CED/2022/R1/provenance").json()["events"]
    assert all(each["time"] for each in places)
    assert {(each["actor"], each["role"]) for each in places} == {(None, None)}


def test_an_export_from_kafka_is_the_same_to_the_byte(loaded: Stack, exported: Path, tmp_path: Path) -> None:
    done = throughline(loaded, "audit", "export", str(tmp_path / "kafka"), "--from", "kafka", *pinned(loaded))
    assert done.exit_code == 0, done.output
    for service in SERVICES:
        for path in (exported / service).rglob("*"):
            if path.is_file():
                assert (tmp_path / "kafka" / path.relative_to(exported)).read_bytes() == path.read_bytes(), path
    assert Bundle(tmp_path / "kafka").traces() == Bundle(exported).traces()


def test_served_tiles_equal_exported_tiles(exported: Path, auditor: Caller) -> None:
    for service, log in Bundle(exported).logs.items():
        for tile in tiles_of(log.checkpoint().size):
            assert auditor.get(service, f"/log/{tile.path}").content == log.tile(tile)
        assert auditor.get(service, "/log/keys").text == (log.folder / "log.vkeys").read_text()


@pytest.mark.parametrize(
    "tile",
    ["0/x001/000", "0/000", "entries/000", "1/000.p/1", "64/000", "0/0", "a/b", "..%2f..%2fcheckpoint", "0/000.p/0"],
)
def test_a_missing_tile_is_not_found(tile: str, auditor: Caller) -> None:
    answer = auditor.get("meetings", f"/log/tile/{tile}")
    assert answer.status_code == 404, answer.text
    assert answer.json()["rule"] in {"NotOnRecord", "NotServed"}


def test_every_checkpoint_is_on_its_topic_signed_and_in_order(loaded: Stack, auditor: Caller) -> None:
    keys = [Verifier.parse(key) for key in vkeys(loaded)]

    async def read_all() -> list[tuple[str, int]]:
        checkpoints = []
        async for record in read_topic(loaded.kafka, "throughline.checkpoints"):
            checkpoint, _, by = opened(record.value or b"", keys)
            assert by
            assert checkpoint.origin == f"throughline.local/{(record.key or b'').decode()}"
            checkpoints.append((checkpoint.origin.rpartition("/")[2], checkpoint.size))
        return checkpoints

    published_sizes = asyncio.run(read_all())
    for service in SERVICES:
        served = [item["size"] for item in auditor.get(service, "/log/checkpoints").json()["items"]]
        assert [size for name, size in published_sizes if name == service] == served == sorted(set(served))
        assert auditor.get(service, "/log/checkpoints", after=served[0], limit=1).json().get("next") == (
            served[1] if len(served) > 1 else None
        )


def test_a_service_signs_at_shutdown_and_continues_there(loaded: Stack, auditor: Caller, web: httpx2.Client) -> None:
    office = Caller(loaded, web, "secretariat")
    before = signed(loaded, auditor, "nominations")
    assert office.post("nominations", "/calls", {"call": "synthetic-audit", "title": "Synthetic"}).status_code == 200
    loaded.stop_one("nominations")
    with MongoClient[dict[str, Any]](loaded.mongodb_admin_uri) as client:
        newest = client[grants.database("nominations")].checkpoints.find_one(sort=[("_id", -1)])
    assert newest is not None
    assert newest["_id"] == published(loaded, "nominations")
    loaded.start_one("nominations")
    assert signed(loaded, auditor, "nominations").size > before.size


def test_no_private_key_reaches_a_log_or_an_export(loaded: Stack, exported: Path) -> None:
    secrets = [key_file(loaded.home, service).read_text().split("+", 4)[4].strip() for service in SERVICES]
    for path in [*(loaded.home / "logs").iterdir(), *exported.rglob("*")]:
        if path.is_file():
            content = path.read_bytes()
            assert not any(secret.encode() in content for secret in secrets), path
            assert b"PRIVATE+KEY" not in content
    assert all(key_file(loaded.home, service).stat().st_mode & 0o077 == 0 for service in SERVICES)


def test_a_byte_flipped_in_the_store_is_found_and_named(loaded: Stack, auditor: Caller, tmp_path: Path) -> None:
    with MongoClient[dict[str, Any]](loaded.mongodb_admin_uri) as client:
        commits = client[grants.database(SERVICE)].commits
        commit = commits.find_one({"_id.s": "recommendation/CED/2022/R1", "_id.v": 2})
        assert commit is not None
        raw = bytes(commit["events"][0])
        commits.update_one({"_id": commit["_id"]}, {"$set": {"events.0": raw.replace(b'"source"', b'"sourcf"', 1)}})
        try:
            done = throughline(loaded, "audit", "export", str(tmp_path / "export"), "--service", SERVICE)
            assert done.exit_code == 1
            assert "recommendation/CED/2022/R1 version 2" in output_of(done)
            assert "position" in output_of(done)
        finally:
            commits.update_one({"_id": commit["_id"]}, {"$set": {"events.0": raw}})
    assert throughline(loaded, "audit", "export", str(tmp_path / "export"), "--service", SERVICE).exit_code == 0


def put(stack: Stack, service: str, raw: bytes, position: int, *, stolen_key: bool = False) -> None:
    """Produce a record to a service's topic without its relay, as an intruder would, with the log's key or without."""
    headers = headers_of(position, leaf_hash(raw), b"")
    if stolen_key:
        text = key_file(stack.home, service).read_text()
        headers = signed_headers(raw, position, LogKeys.parse(text, f"throughline.local/{service}").signer)

    async def send() -> None:
        async with AIOKafkaProducer(**stack.kafka_admin.client()) as producer:
            key = orjson.loads(raw)["subject"].encode()
            await producer.send_and_wait(f"throughline.{service}", raw, key=key, headers=list(headers))

    asyncio.run(send())


def test_an_event_at_a_false_position_changes_no_trace_and_is_found_by_a_proof(
    loaded: Stack, auditor: Caller, tmp_path: Path
) -> None:
    """The false position is lower than the true one, so it stays in force for the rest of this module."""
    export, reference = str(tmp_path / "export"), "CED/2022/R1"
    assert throughline(loaded, "audit", "export", export).exit_code == 0
    before = auditor.get(SERVICE, f"/traces/{reference}/provenance").json()
    entries = Bundle(Path(export)).logs[SERVICE].entries(1)
    put(
        loaded,
        SERVICE,
        next(raw for _, raw in entries if f'"recommendation/{reference}"'.encode() in raw),
        0,
        stolen_key=True,
    )
    until = time.monotonic() + AT_MOST_SECONDS
    while (after := auditor.get(SERVICE, f"/traces/{reference}/provenance").json())["events"] == before["events"]:
        assert time.monotonic() < until, "no false position behind the live trace"
        time.sleep(0.1)
    assert after["trace"] == before["trace"]
    assert throughline(loaded, "audit", "compare", export).exit_code == 0
    done = throughline(loaded, "audit", "prove", reference, "--out", str(tmp_path / "proof.json"))
    assert done.exit_code == 1
    assert "recommendations, position 0: the log holds another event there" in output_of(done)


def test_a_second_record_with_other_bytes_is_found_and_named(loaded: Stack, exported: Path, tmp_path: Path) -> None:
    log = Bundle(exported).logs["meetings"]
    true = next(raw for _, raw in log.entries(1))
    event = orjson.loads(true)
    put(loaded, "meetings", canonical(event | {"actor": "synthetic-forger"}), 1)
    source = ("--from", "kafka", "--service", "meetings", *pinned(loaded))
    done = throughline(loaded, "audit", "export", str(tmp_path / "kafka"), *source)
    assert done.exit_code == 1
    assert f"meetings, position 1, {event['subject']} version {event['streamversion']}" in output_of(done)
    assert "other bytes" in output_of(done)
    assert next(raw for _, raw in Bundle(tmp_path / "kafka").logs["meetings"].entries(1)) == true
    assert throughline(None, "audit", "verify", str(tmp_path / "kafka"), *pinned(loaded)[2:4]).exit_code == 0


def test_a_second_export_adds_new_events_and_continues_the_first(
    loaded: Stack, exported: Path, auditor: Caller, web: httpx2.Client, tmp_path: Path
) -> None:
    shutil.copytree(exported, tmp_path / "export")
    office = Caller(loaded, web, "secretariat")
    assert office.post("nominations", "/calls", {"call": "synthetic-later", "title": "Synthetic"}).status_code == 200
    until = time.monotonic() + AT_MOST_SECONDS
    while published(loaded, "nominations") == Bundle(exported).logs["nominations"].checkpoint().size:
        assert time.monotonic() < until
        time.sleep(0.1)
    signed(loaded, auditor, "nominations")
    done = throughline(loaded, "audit", "export", str(tmp_path / "export"))
    assert done.exit_code == 0, done.output
    checked = throughline(None, "audit", "verify", str(tmp_path / "export"), "--since", str(exported), *pinned(loaded))
    assert checked.exit_code == 0, checked.output
    backwards = throughline(None, "audit", "verify", str(exported), "--since", str(tmp_path / "export"))
    assert backwards.exit_code == 1
    assert "some were taken away" in output_of(backwards)


def test_versions_past_an_export_are_signed_only_where_a_checkpoint_covers_them(
    loaded: Stack, exported: Path, auditor: Caller, web: httpx2.Client
) -> None:
    instrument = "synthetic-past-the-export"
    body = {"instrument": instrument, "cite": f"Synthetic {instrument}", "body": "SYN", "title": "Synthetic"}
    assert Caller(loaded, web, "secretariat").post(SERVICE, "/instruments", body).status_code == 200
    with Services(Connection(loaded.home, quiet=True), "auditor") as services:
        wanted = {f"instrument/{instrument}": 1}
        assert unsigned_versions(services, Bundle(exported), wanted, AT_MOST_SECONDS) == []
        beyond = {f"instrument/{instrument}": 2}
        assert unsigned_versions(services, Bundle(exported), beyond, 0) == [f"instrument/{instrument} version 2"]

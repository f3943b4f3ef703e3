"""Every event version that ever went live has a golden file, is decodable, and keeps its bytes."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import rfc8785

from shared.events.canonical import sha256_hex
from shared.events.catalogue import ENVELOPES, EVENTS, decode
from shared.events.envelope import encode
from shared.events.upcasters import UPCASTERS
from tests.contracts.corpus import FOLDER, SUMS, golden, sums
from tests.contracts.members import filled, offered

GOLDEN = golden()
NEWEST = {name: raw for name, raw in GOLDEN.items() if orjson.loads(raw)["type"] in EVENTS}


def test_no_golden_file_has_changed_or_disappeared() -> None:
    assert {name: sha256_hex(raw) for name, raw in GOLDEN.items()} == sums()
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.json" for name in GOLDEN} | {SUMS.name}


def test_every_version_of_every_event_has_a_golden_file() -> None:
    assert {orjson.loads(raw)["type"] for raw in GOLDEN.values()} == EVENTS.keys() | UPCASTERS.keys()


@pytest.mark.parametrize("name", GOLDEN)
def test_a_golden_file_is_canonical_json_and_decodes_to_the_event_in_its_name(name: str) -> None:
    raw = GOLDEN[name]
    assert rfc8785.dumps(orjson.loads(raw)) == raw
    recorded = decode(raw)
    assert recorded.type in EVENTS
    assert type(recorded.data) is EVENTS[recorded.type]
    assert f"{name}.".startswith(f"{orjson.loads(raw)['type']}.")


@pytest.mark.parametrize("name", NEWEST)
def test_a_decoded_event_is_encoded_with_the_same_bytes(name: str) -> None:
    recorded = decode(NEWEST[name])
    encoded = encode(
        recorded.data,
        event_id=recorded.id,
        subject=recorded.subject,
        time=recorded.time,
        version=recorded.streamversion,
        actor=recorded.actor,
        role=recorded.role,
        command_id=recorded.commandid,
        correlation_id=recorded.correlationid,
        causation_id=recorded.causationid,
        previous_hash=recorded.previoushash,
    )
    assert encoded == NEWEST[name]


@pytest.mark.parametrize("type_name", EVENTS)
def test_every_field_is_filled_in_some_golden_file(type_name: str) -> None:
    files: list[Any] = [orjson.loads(raw) for raw in NEWEST.values()]
    covered = {path for value in files if value["type"] == type_name for path in filled(value)}
    assert offered(ENVELOPES[type_name]) - covered == set()

"""On real servers: an export replayed beside the live traces, and one live trace proved, then checked alone."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from shared.events.catalogue import SERVICES
from shared.tlog.keys import LogKeys
from tests.cli.terminal import output_of, throughline
from tests.journey.office import Desk
from tests.privacy.test_erasure import covers
from tools.deployment import grants
from tools.local.log_keys import key_file
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
REFERENCE = "CED/2022/R1"


def done(stack: Stack | None, *arguments: str, code: int = 0) -> str:
    """Run a command of `throughline audit`, and return its output."""
    result = throughline(stack, "audit", *arguments)
    assert result.exit_code == code, result.output
    return output_of(result)


def keys(stack: Stack) -> list[str]:
    """Return the options that name the keys of the logs that a trace rests on."""
    verifiers = [
        LogKeys.parse(key_file(stack.home, service).read_text(), f"throughline.local/{service}").signer.verifier
        for service in ("meetings", "recommendations")
    ]
    return [word for key in verifiers for word in ("--key", key.vkey)]


@pytest.fixture(scope="module")
def export(loaded: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export that covers the public record."""
    folder = tmp_path_factory.mktemp("live") / "export"
    for service in SERVICES:
        Desk(loaded, "auditor").query_until(service, "/log/checkpoints", partial(covers, loaded, service))
    assert "traces; now: throughline audit verify" in done(loaded, "export", str(folder))
    return folder


def test_an_export_is_identical_with_its_digests_and_with_the_live_traces(loaded: Stack, export: Path) -> None:
    output = done(loaded, "compare", str(export))
    assert "traces beside the export's digests" in output
    assert "traces beside the live traces" in output


def test_an_advanced_live_trace_is_newer_and_a_tampered_one_is_different(loaded: Stack, export: Path) -> None:
    reference = f"SYN/2034/R{uuid4().int % 90_000 + 1}"
    office = Desk(loaded)
    office.send("recommendations", "/recommendations", reference=reference, title="Synthetic")
    office.query("recommendations", f"/traces/{reference}", at_least=1, wait=20)
    assert f"Newer than the bundle, not compared: {reference}." in done(loaded, "compare", str(export))
    with MongoClient[dict[str, Any]](loaded.mongodb_admin_uri) as client:
        traces = client[grants.database("recommendations")]["traces"]
        traces.update_one({"_id": REFERENCE}, {"$set": {"dispositions.0.outcome": "not_endorsed"}})
        try:
            output = done(loaded, "compare", str(export), code=1)
        finally:
            traces.update_one({"_id": REFERENCE}, {"$set": {"dispositions.0.outcome": "endorsed"}})
    assert f"Different from the live traces: {REFERENCE}." in output
    assert "Different from the export" not in output


def test_a_live_trace_is_proved_and_the_proof_is_checked_alone(loaded: Stack, export: Path, tmp_path: Path) -> None:
    assert export
    file = tmp_path / "proof.json"
    assert f"{REFERENCE} and the" in done(loaded, "prove", REFERENCE, "--out", str(file))
    assert f"proven: {REFERENCE}, " in done(None, "verify-proof", str(file), *keys(loaded))
    live = Desk(loaded, "auditor").query("recommendations", f"/traces/{REFERENCE}")["trace"]
    assert json.loads(file.read_bytes())["trace"] == live
    same = tmp_path / "offline.json"
    done(None, "prove", REFERENCE, "--from", str(export), "--out", str(same))
    offline, online = (json.loads(each.read_bytes()) for each in (same, file))
    assert offline["trace"] == online["trace"]
    assert [each["event"] for each in offline["events"]] == [each["event"] for each in online["events"]]
    forged = tmp_path / "forged.json"
    forged.write_bytes(file.read_bytes().replace(b'"outcome":"endorsed"', b'"outcome":"noted"'))
    assert "NOT PROVEN" in done(None, "verify-proof", str(forged), *keys(loaded), code=1)

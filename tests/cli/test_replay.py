"""A replay proves that live traces are what the history makes; tampering is named, a rebuild heals it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection

from services.recommendations.projection import TOPICS
from shared.tlog.trust import LogTrust
from tests.cli.terminal import output_of, throughline
from tools.client.log_keys import log_trust
from tools.deployment import grants
from tools.local.stack import Stack
from tools.replay.history import unsigned_of

pytestmark = pytest.mark.servers
REFERENCE = "CED/2022/R1"
OF_IT = {"_id": REFERENCE}


@contextmanager
def live_traces(stack: Stack) -> Iterator[Collection[dict[str, Any]]]:
    """The stored traces, for one who may do everything to them."""
    with MongoClient[dict[str, Any]](stack.mongodb_admin_uri) as client:
        yield client[grants.database("recommendations")]["traces"]


@pytest.mark.parametrize("origin", ["kafka", "journal"])
def test_live_traces_are_what_the_history_makes(loaded: Stack, origin: str):
    done = throughline(loaded, "replay", "--from", origin, "--compare")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1].startswith("identical: ")


def test_kafka_and_journal_make_the_same_traces(loaded: Stack):
    digests = set()
    for origin in ("kafka", "journal"):
        content = json.loads(throughline(loaded, "replay", "--from", origin, "--format", "json").stdout)
        assert content["traces"] >= 2
        digests.add(content["digest"])
    assert len(digests) == 1


def test_a_tampered_trace_is_named_and_a_rebuild_heals_it(loaded: Stack):
    with live_traces(loaded) as traces:
        traces.update_one(OF_IT, {"$set": {"dispositions.0.outcome": "not_endorsed"}})
    done = throughline(loaded, "replay", "--compare")
    assert done.exit_code == 1
    assert f"The first: {REFERENCE}, at dispositions[0].outcome live: not_endorsed rebuilt: endorsed" in output_of(done)
    assert "identical:" not in done.stdout
    content = json.loads(throughline(loaded, "replay", "--compare", "--format", "json").stdout)["verdict"]
    assert content["different"] == [
        {"reference": REFERENCE, "path": "dispositions[0].outcome", "live": "not_endorsed", "rebuilt": "endorsed"}
    ]

    healed = throughline(loaded, "rebuild")
    assert healed.exit_code == 0, healed.output
    assert throughline(loaded, "replay", "--compare").exit_code == 0


def test_a_deleted_trace_is_a_difference_and_a_rebuild_restores_it(loaded: Stack, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tools.cli.replay.CATCH_UP_SECONDS", 1.0)
    with live_traces(loaded) as traces:
        traces.delete_one(OF_IT)
        done = throughline(loaded, "replay", "--compare")
        assert done.exit_code == 1
        assert f"The first: {REFERENCE} live: nothing rebuilt: a trace" in output_of(done)
        assert throughline(loaded, "rebuild").exit_code == 0
        assert traces.count_documents(OF_IT) == 1
    assert throughline(loaded, "replay", "--compare").exit_code == 0


def test_a_trace_of_another_shape_is_named_and_is_not_called_different(loaded: Stack):
    with live_traces(loaded) as traces:
        shape = traces.find_one(OF_IT)["shape"]  # type: ignore[index]
        traces.update_one(OF_IT, {"$set": {"shape": shape + 1}})
    done = throughline(loaded, "replay", "--compare")
    assert done.exit_code == 1
    assert f"{REFERENCE}: live has shape {shape + 1}, this program composes shape {shape}" in output_of(done)
    assert "different:" not in done.stdout
    assert throughline(loaded, "rebuild").exit_code == 0
    assert throughline(loaded, "replay", "--compare").exit_code == 0


def test_a_kafka_that_does_not_answer_is_unreachable(loaded: Stack):
    done = throughline(loaded, "replay", "--kafka", "127.0.0.1:9")
    assert done.exit_code == 3
    assert "127.0.0.1:9 does not answer" in output_of(done)


def test_only_a_role_that_reads_everything_reads_the_journal(loaded: Stack):
    token = throughline(loaded, "token", "--role", "expert").stdout.strip()
    done = throughline(loaded, "replay", "--from", "journal", "--token", token)
    assert done.exit_code == 1
    assert "RoleMayNot" in output_of(done)


def test_only_an_operator_or_the_secretariat_rebuilds(loaded: Stack):
    token = throughline(loaded, "token", "--role", "auditor").stdout.strip()
    done = throughline(loaded, "rebuild", "--token", token)
    assert done.exit_code == 1
    assert "RoleMayNot" in output_of(done)


def test_versions_that_no_signature_covers_are_named(loaded: Stack):
    stream, trust = f"recommendation/{REFERENCE}", log_trust(loaded.home)
    assert unsigned_of(loaded.kafka, TOPICS, trust, {stream: 1}, seconds=0) == []
    assert unsigned_of(loaded.kafka, TOPICS, trust, {stream: 999}, seconds=0) == [f"{stream} version 999"]
    assert unsigned_of(loaded.kafka, TOPICS, LogTrust(()), {stream: 1}, seconds=0) == [f"{stream} version 1"]

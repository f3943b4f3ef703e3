"""MongoDB and Kafka both lost, and restored from an export: a new origin, a declared break, nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.cli.terminal import output_of, throughline
from tests.faults import losing
from tests.faults.losing import run
from tests.journey.office import Desk
from tools.client.log_keys import key_folder
from tools.deployment import grants
from tools.local.stack import ALL_FOUR, Stack

pytestmark = [pytest.mark.servers, pytest.mark.slow]
ERASED, KNOWN = "synthetic-erased", "synthetic-known"


@pytest.fixture(scope="module")
def platform() -> Iterator[Stack]:
    with losing.a_platform() as running:
        for person in (ERASED, KNOWN):
            losing.subscribe(Desk(running), f"s-{person}", person)
        losing.wait_until_idle(running)
        yield running


def person_keys(stack: Stack) -> dict[str, bool]:
    """Return for each subscriber whether a key opens their details."""
    with MongoClient[dict[str, Any]](stack.mongodb_admin_uri) as client:
        return {row["_id"]: "key" in row for row in client[grants.database("notifications")]["keys"].find()}


def restore(servers: Stack, export: Path, *more: str, code: int = 0) -> str:
    done = throughline(servers, "restore", str(export), "--deployment", "local-2", *more)
    assert done.exit_code == code, done.output
    return output_of(done)


def test_an_export_restores_all_services_under_a_new_origin(platform: Stack, tmp_path: Path):
    export, keys_apart = tmp_path / "export", tmp_path / "keys"
    run(platform, "backup", "save", str(keys_apart), "--what", "persons")
    run(platform, "privacy", "erase", ERASED, "--reason", "Synthetic request", "--yes")
    losing.wait_until_idle(platform)
    before = losing.held(platform)
    run(platform, "audit", "export", str(export), "--wait", "30")
    losing.assert_consumed_again(platform, 981)  # lost: it is in no export
    platform.stop()
    losing.lose_mongodb(platform)
    losing.lose_kafka(platform)
    with Stack(platform.home, services=(), say=lambda _: None) as servers:
        assert "Give another" in output_of(throughline(servers, "restore", str(export), "--deployment", "local"))
        text = restore(servers, export)
        assert "every event after the export's checkpoints" in text
        assert "THROUGHLINE_DEPLOYMENT=local-2" in text
        assert "0 of them now" in restore(servers, export), "an interrupted restoration is run again"
        run(servers, "backup", "load", str(keys_apart))
        assert person_keys(servers)[ERASED], "the older backup of the keys brings the key back"
    platform.start()
    losing.assert_had_again(platform, before)
    assert person_keys(platform) == {ERASED: False, KNOWN: True} | {
        person: has for person, has in person_keys(platform).items() if person not in (ERASED, KNOWN)
    }
    losing.assert_consumed_again(platform, 982)
    later = tmp_path / "later"
    run(platform, "audit", "export", str(later), "--wait", "30")
    verified = run(platform, "audit", "verify", str(later), "--since", str(export))
    assert "DECLARED BREAK at size" in verified
    assert "verified:" in verified
    from_kafka = tmp_path / "from-kafka"
    run(platform, "audit", "export", str(from_kafka), "--from", "kafka")
    assert "across 4 declared breaks" in run(platform, "audit", "verify", str(from_kafka), "--since", str(export))
    refused = throughline(platform, "audit", "export", str(export))
    assert refused.exit_code == 1, "the lost logs' export is not continued"
    platform.stop()
    with Stack(platform.home, services=(), say=lambda _: None) as servers:
        assert "has held" in output_of(throughline(servers, "restore", str(later), "--deployment", "local-3"))
    platform.start()


def test_a_second_loss_without_the_old_keys_warns_for_ever(platform: Stack, tmp_path: Path):
    export = tmp_path / "export"
    losing.wait_until_idle(platform)
    before = losing.held(platform)
    run(platform, "audit", "export", str(export), "--wait", "30")
    public = [(export / service / "log.vkey").read_text().strip() for service in ALL_FOUR]
    platform.stop()
    losing.lose_mongodb(platform)
    losing.lose_kafka(platform)
    for file in key_folder(platform.home, "local-2").glob("*.key"):
        file.unlink()
    keys = [argument for key in public for argument in ("--key", key)]
    with Stack(platform.home, services=(), say=lambda _: None) as servers:
        arguments = ("restore", str(export), "--deployment", "local-3")
        assert "--old-keys-lost" in output_of(throughline(servers, *arguments, "--old-keys", str(tmp_path)))
        assert "--key" in output_of(throughline(servers, *arguments, "--old-keys-lost"))
        text = run(servers, *arguments, "--old-keys-lost", *keys)
        assert "NO OLD KEY signed" in text
    platform.start()
    losing.wait_until_idle(platform)
    assert losing.traces(platform) == before[0]
    later = tmp_path / "later"
    run(platform, "audit", "export", str(later), "--wait", "30")
    done = throughline(platform, "audit", "verify", str(later), "--since", str(export))
    assert done.exit_code == 1
    assert "NO KEY OF throughline.local-2/" in output_of(done)

"""MongoDB lost, and had again from a copy of its files that was made under load, then from the topics."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.cli.terminal import output_of, throughline
from tests.faults import losing
from tests.faults.losing import run
from tests.journey.office import Desk
from tools.deployment import grants
from tools.local.stack import ALL_FOUR, Stack

pytestmark = [pytest.mark.servers, pytest.mark.slow]
ERASED = "synthetic-erased"


@pytest.fixture(scope="module")
def platform() -> Iterator[Stack]:
    with losing.a_platform() as running:
        losing.subscribe(Desk(running), f"s-{ERASED}", ERASED)
        losing.wait_until_idle(running)
        yield running


def has_key(stack: Stack) -> bool:
    with MongoClient[dict[str, Any]](stack.mongodb_admin_uri) as client:
        return "key" in (client[grants.database("notifications")]["keys"].find_one({"_id": ERASED}) or {})


def test_a_copy_under_load_is_refilled_and_replays_identical(platform: Stack, tmp_path: Path):
    data, copy = platform.home / "mongodb" / "data", tmp_path / "copy"
    with losing.load(platform) as accepted:
        assert "Copied" in run(platform, "backup", "hold", "--", "cp", "-a", str(data), str(copy))
        copied = len(accepted)
    assert len(accepted) > copied
    run(platform, "privacy", "erase", ERASED, "--reason", "Synthetic request", "--yes")
    losing.wait_until_idle(platform)
    before = losing.held(platform)
    platform.stop()
    losing.lose_mongodb(platform)
    shutil.copytree(copy, data)
    (platform.home / "mongodb" / "member.json").write_text(f'{{"host": "127.0.0.1:{port(platform)}"}}')
    platform.start()
    losing.named_in_trouble(platform, "refill", "recommendations", "notifications")
    assert has_key(platform), "the backup is older than the erasure"
    for service in ALL_FOUR:
        run(platform, "refill", service)
    losing.assert_had_again(platform, before)
    platform.stop_one("notifications")
    platform.start_one("notifications")
    losing.wait_until_idle(platform)
    assert not has_key(platform), "erased persons stay erased"
    losing.assert_consumed_again(platform, 983)


def test_a_killed_backup_is_named_and_released(platform: Stack):
    with MongoClient[dict[str, Any]](platform.mongodb_admin_uri) as client:
        client.admin.command("fsync", lock=True)
    done = throughline(platform, "backup", "hold", "--", "true")
    assert done.exit_code == 1
    assert "backup release" in output_of(done)
    assert "Released" in run(platform, "backup", "release")
    assert "It was not held" in run(platform, "backup", "release")
    failed = throughline(platform, "backup", "hold", "--", "false")
    assert failed.exit_code == 1
    losing.assert_consumed_again(platform, 984)


def port(stack: Stack) -> int:
    return stack.memory.ports()["mongodb"]

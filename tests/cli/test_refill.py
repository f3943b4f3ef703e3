"""A refill adds nothing where nothing is missing, and says what is wrong with what it was given."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cli.terminal import output_of, throughline
from tools.client.stack_home import database
from tools.local.stack import Stack


@pytest.mark.servers
def test_a_whole_store_is_left_as_it_is(stack: Stack):
    done = throughline(stack, "refill", "meetings")
    assert done.exit_code == 0, done.output
    assert output_of(done) == "Refilled meetings: 0 commits and 0 ledger entries."


@pytest.mark.servers
def test_an_absent_kafka_is_unreachable(stack: Stack):
    done = throughline(stack, "refill", "meetings", "--kafka", "127.0.0.1:1")
    assert (done.exit_code, "does not answer" in output_of(done)) == (3, True), done.output


def settings_of(service: str, folder: Path, uri: str) -> dict[str, str]:
    parts = urlsplit(uri)
    (folder / "password").write_text(f"{parts.password}\n")
    without = parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}").geturl()
    given = {"DATABASE": database(service), "MONGODB": without, "MONGODB_PASSWORD_FILE": str(folder / "password")}
    return {f"THROUGHLINE_{name}": value for name, value in given.items()}


@pytest.mark.servers
def test_in_the_container_of_a_service_it_is_that_service(stack: Stack, tmp_path: Path):
    own = settings_of("meetings", tmp_path, stack.mongodb_uri("meetings"))
    done = throughline(stack, "refill", "meetings", **own)
    assert done.exit_code == 0, done.output
    away = own | {"THROUGHLINE_MONGODB": "mongodb://meetings@127.0.0.1:1/?serverSelectionTimeoutMS=100"}
    assert throughline(stack, "refill", "meetings", **away).exit_code == 3
    assert throughline(stack, "refill", "recommendations", **away).exit_code == 0


def test_an_unknown_service_is_bad_input():
    assert throughline(None, "refill", "ministries").exit_code == 2


def test_without_a_stack_the_address_of_mongodb_is_required():
    done = throughline(None, "refill", "meetings")
    assert (done.exit_code, "--mongodb URI" in output_of(done)) == (3, True), done.output

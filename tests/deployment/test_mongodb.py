"""`throughline mongodb ensure` on a real mongod that nobody has initiated: any number of times, to the same effect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from shared.events.services import SERVICES
from tests.cli.terminal import throughline
from tools.deployment import mongodb
from tools.local import ports
from tools.local.mongodb import MongoDB
from tools.local.processes import end, spawn

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with a key file, of which no replica set was made, and which has no user."""
    home = tmp_path_factory.mktemp("mongodb")
    own = MongoDB(home, ports.choose(()), "", lambda _: None)
    own.prepare()
    child = spawn("mongodb", own.command(), home / "log", own.environment())
    yield own.where
    end([child])


@pytest.fixture(scope="module")
def passwords(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("passwords")
    for user in (mongodb.ADMINISTRATOR, *SERVICES):
        (folder / user).write_text(f"synthetic:{user}/ä\n", encoding="utf-8")
    return folder


def ensured(server: str, passwords: Path, *more: str) -> Any:
    arguments = ["--server", f"mongodb://{server}/", "--member", server, "--passwords", str(passwords), *more]
    return throughline(None, "mongodb", "ensure", *arguments)


def client(server: str, user: str, password: str, source: str) -> MongoClient[dict[str, Any]]:
    return MongoClient(server, username=user, password=password, authSource=source, replicaSet="throughline")


def state(server: str) -> tuple[Any, ...]:
    with client(server, "admin", "synthetic:admin/ä", "admin") as admin:
        config = admin.admin.command("replSetGetConfig")["config"]
        users = admin.admin.command("usersInfo", {"forAllDBs": True})["users"]
        return config["version"], config["members"][0]["host"], sorted((each["db"], each["user"]) for each in users)


def test_it_may_run_any_number_of_times_and_a_changed_password_is_taken(server: str, passwords: Path) -> None:
    first = ensured(server, passwords)
    assert first.exit_code == 0, first.output
    after_first = state(server)
    assert after_first[1] == server
    assert after_first[2] == sorted([("admin", "admin"), *((f"throughline_{name}", name) for name in SERVICES)])
    for _ in range(2):
        assert ensured(server, passwords).exit_code == 0
    assert state(server) == after_first

    with client(server, "meetings", "synthetic:meetings/ä", "throughline_meetings") as service:
        service.throughline_meetings.journal.insert_one({"_id": "synthetic"})
        with pytest.raises(OperationFailure, match="not authorized"):
            service.throughline_nominations.journal.insert_one({"_id": "synthetic"})

    (passwords / "meetings").write_text("another")
    assert ensured(server, passwords).exit_code == 0
    with client(server, "meetings", "another", "throughline_meetings") as service:
        assert service.throughline_meetings.journal.count_documents({}) == 1
    with (
        client(server, "meetings", "synthetic:meetings/ä", "throughline_meetings") as service,
        pytest.raises(OperationFailure, match="Authentication failed"),
    ):
        service.throughline_meetings.journal.count_documents({})


def test_what_cannot_be_made_is_named(server: str, passwords: Path, tmp_path: Path) -> None:
    assert ensured(server, passwords).exit_code == 0
    other = ensured(server, passwords, "--member", "mongo:27017")
    assert other.exit_code == 1
    assert f"was initiated as {server}, and nobody reaches it as mongo:27017" in other.output

    for file in passwords.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "admin").write_text("wrong")
    wrong = ensured(server, tmp_path)
    assert wrong.exit_code == 1
    assert "The password of MongoDB's administrator is not the one in its file" in wrong.output
    assert "wrong" not in wrong.output.replace("is not the one", "")

    (tmp_path / "meetings").unlink()
    absent = ensured(server, tmp_path)
    assert absent.exit_code == 2
    assert "--passwords: " in absent.output


def test_a_server_that_does_not_come_up_is_named_after_the_patience(passwords: Path) -> None:
    away = ensured(f"127.0.0.1:{ports.choose(())}", passwords, "--patience", "0.1")
    assert away.exit_code == 1
    assert "MongoDB is not ready after 0 s: 127.0.0.1:" in away.output


def test_a_processor_without_avx_is_named(tmp_path: Path) -> None:
    cpu = tmp_path / "cpuinfo"
    cpu.write_text("processor : 0\nflags\t\t: fpu sse2\n")
    assert mongodb.without_avx(cpu) == " This processor lacks AVX, which MongoDB needs since version 5."
    cpu.write_text("flags\t\t: fpu avx sse2\n")
    assert mongodb.without_avx(cpu) == ""
    assert mongodb.without_avx(tmp_path / "none") == ""

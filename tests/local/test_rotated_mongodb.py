"""The administrator's password and the members' key of a real MongoDB, replaced by `throughline rotate`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tests.cli.terminal import output_of, throughline
from tests.local.secure import running
from tools.deployment.mongodb import with_password
from tools.deployment.rotation import Folder, set_in_mongodb
from tools.local.mongodb import MongoDB
from tools.local.ports import choose

pytestmark = [pytest.mark.servers, pytest.mark.drill]
FIRST = "Synthetic-password"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of secrets, with the password of the administrator."""
    secrets = tmp_path_factory.mktemp("deployment")
    (secrets / "passwords").mkdir()
    (secrets / "passwords" / "admin").write_text(FIRST + "\n")
    return secrets


@pytest.fixture(scope="module")
def server(folder: Path) -> MongoDB:
    return MongoDB(folder / "mongodb", choose(()), FIRST, print)


@pytest.fixture
def mongodb(server: MongoDB, folder: Path) -> Iterator[MongoDB]:
    with running(server, folder):
        yield server


def admits(server: MongoDB, password: str) -> bool:
    with MongoClient[dict[str, Any]](with_password(server.admin_uri, password)) as client:
        try:
            return bool(client.admin.command("usersInfo")["ok"])
        except OperationFailure:
            return False


def rotate(folder: Path, uri: str) -> str:
    done = throughline(None, "rotate", "mongodb", "admin", "--mongodb", uri, "--passwords", str(folder / "passwords"))
    assert done.exit_code == 0, done.output
    return output_of(done)


def password(folder: Path) -> str:
    return (folder / "passwords" / "admin").read_text().strip()


def test_the_administrator_gets_another_password(mongodb: MongoDB, folder: Path) -> None:
    old = password(folder)
    assert "New passwords in MongoDB: admin." in rotate(folder, with_password(mongodb.admin_uri, old))
    assert admits(mongodb, password(folder))
    assert not admits(mongodb, old)


def test_a_rotation_that_was_interrupted_on_the_server_is_run_again(mongodb: MongoDB, folder: Path) -> None:
    old = password(folder)
    proposed = Folder(folder / "passwords").propose(["admin"])
    set_in_mongodb(with_password(mongodb.admin_uri, old), proposed)
    rotate(folder, with_password(mongodb.admin_uri, old))
    assert password(folder) == proposed["admin"]
    assert admits(mongodb, password(folder))


def test_another_password_than_the_administrators_is_refused(mongodb: MongoDB, folder: Path) -> None:
    uri = with_password(mongodb.admin_uri, "wrong")
    done = throughline(None, "rotate", "mongodb", "admin", "--mongodb", uri, "--passwords", str(folder / "passwords"))
    assert (done.exit_code, "MongoDB refused" in output_of(done)) == (1, True)
    assert admits(mongodb, password(folder))


@pytest.mark.parametrize("options", [(), ("--drop-retired",)])
def test_a_member_starts_with_the_new_key_beside_the_old_one_and_alone(
    server: MongoDB, folder: Path, options: tuple[str, ...]
) -> None:
    before = (folder / "mongodb" / "key").read_text()
    done = throughline(None, "rotate", "mongodb-key", str(folder), *options)
    assert done.exit_code == 0, done.output
    assert (folder / "mongodb" / "key").read_text() != before
    with running(server, folder):
        assert admits(server, password(folder))

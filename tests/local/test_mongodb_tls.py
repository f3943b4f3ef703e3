"""TLS on a real MongoDB: who is admitted, and in which words a service that is not says so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorDatabase
from pydantic import SecretStr
from pymongo.errors import PyMongoError

from shared.runtime import database
from shared.runtime.configuration import CannotStart
from shared.runtime.database import connect
from shared.runtime.mongodb_settings import MongodbSettings
from tests.certificates import Authority
from tests.local.secure import SecureMongoDB, ports, running

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("TLS"), pytest.mark.drill]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stranger"), "another CA")


@pytest.fixture(scope="module")
def mongodb(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureMongoDB]:
    folder = tmp_path_factory.mktemp("mongodb")
    server = SecureMongoDB(folder, authority, ports()["mongodb"])
    with running(server, folder):
        yield server


@asynccontextmanager
async def connected(uri: str, monkeypatch: pytest.MonkeyPatch, **more: Any) -> AsyncIterator[AsyncIOMotorDatabase[Any]]:
    monkeypatch.setattr(database, "SERVER_SELECTION_MS", 1_000)
    opened = connect(MongodbSettings(mongodb=SecretStr(uri), database="synthetic", **more), "meetings")
    try:
        yield opened
    finally:
        opened.client.close()


async def test_mongodb_is_reached_by_tls_with_a_password_from_a_file(
    mongodb: SecureMongoDB, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("Synthetic-password\n")
    uri = mongodb.admin_uri.replace(":Synthetic-password@", "@")
    async with connected(uri, monkeypatch, mongodb_password_file=tmp_path / "password") as opened:
        assert (await opened.command("ping"))["ok"] == 1


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("Synthetic-password", "wrong", "does not accept the user with this password"),
        ("admin:", "nobody:", "does not accept the user with this password"),
        ("tlsCAFile=CA", "tlsCAFile=STRANGER", "is not trusted: its certificate is of an unknown CA.*tlsCAFile"),
        ("&tlsCAFile=CA", "", "is not trusted: its certificate is of an unknown CA"),
        ("127.0.0.1", "localhost", "is not trusted: its certificate is for another host"),
        ("&tls=true&tlsCAFile=CA", "", "speaks TLS, and this URI does not: add the option tls=true"),
    ],
)
async def test_a_service_that_mongodb_does_not_admit_says_why(
    old: str, new: str, says: str, mongodb: SecureMongoDB, stranger: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = mongodb.admin_uri.replace(str(mongodb.authority.file), "CA").replace(old, new)
    uri = uri.replace("STRANGER", str(stranger.file)).replace("=CA", f"={mongodb.authority.file}")
    if "localhost" in uri:
        uri = uri.replace("replicaSet=throughline", "directConnection=true")
    async with connected(uri, monkeypatch) as opened:
        with pytest.raises(PyMongoError) as failure:
            await opened.command("ping")
        with pytest.raises(CannotStart, match=f"^THROUGHLINE_MONGODB: MongoDB at .* {says}") as refused:
            await database.raise_if_refused(failure.value, opened)
    assert "wrong" not in str(refused.value)


async def test_a_mongodb_that_is_away_refuses_nobody(mongodb: SecureMongoDB, monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected(mongodb.admin_uri.replace(mongodb.where, "127.0.0.1:1"), monkeypatch) as opened:
        with pytest.raises(PyMongoError) as failure:
            await opened.command("ping")
        await database.raise_if_refused(failure.value, opened)

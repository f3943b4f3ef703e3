"""Keys of persons, staff and documents saved apart: nothing is lost, half-written, or brought back after an erasure."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import bson
import pytest
from pymongo import MongoClient

from tools.client.stack_home import database
from tools.deployment.persons_backup import COLLECTIONS, Loaded, load, save
from tools.files import NotAFile
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
FILE = "keys"


class Site:
    """A service of its own, with keys of persons."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.service, self.uri, self.folder = f"synthetic-{uuid4().hex[:8]}", stack.mongodb_admin_uri, folder
        self.client = MongoClient[dict[str, Any]](self.uri)
        self.keys = self.client[database(self.service)]["keys"]
        self.file = folder / f"{self.service}.keys.bson"

    def save(self) -> dict[str, int]:
        return save(self.uri, [self.service], COLLECTIONS["persons"], self.folder)

    def load(self) -> Loaded:
        return load(self.uri, [self.service], self.folder)[self.file.name]


@pytest.fixture
def site(servers: Stack, tmp_path: Path) -> Iterator[Site]:
    own = Site(servers, tmp_path / "apart")
    own.keys.insert_many([{"_id": person, "key": person.encode()} for person in ("anne", "bo")])
    yield own
    own.client.drop_database(database(own.service))
    own.client.close()


def held(site: Site) -> dict[str, bytes | None]:
    return {row["_id"]: row.get("key") for row in site.keys.find()}


def test_what_was_saved_is_loaded_once(site: Site) -> None:
    before = held(site)
    site.save()
    site.keys.drop()
    assert site.load() == Loaded(added=2)
    assert site.load() == Loaded()
    assert held(site) == before


@pytest.mark.parametrize("older_first", [True, False])
def test_a_person_whose_erasure_any_of_the_backups_knows_stays_erased(site: Site, older_first: bool) -> None:
    site.save()
    older = site.file.read_bytes()
    site.keys.update_one({"_id": "bo"}, {"$unset": {"key": ""}, "$set": {"erased": True}})
    site.save()
    newer = site.file.read_bytes()
    site.keys.drop()
    for backup in (older, newer) if older_first else (newer, older):
        site.file.write_bytes(backup)
        site.load()
    assert held(site) == {"anne": b"anne", "bo": None}


def test_another_key_of_a_person_is_counted_and_stays(site: Site) -> None:
    site.save()
    site.keys.update_one({"_id": "bo"}, {"$set": {"key": b"made by a service that ran too soon"}})
    assert site.load() == Loaded(differing=1)
    assert held(site)["bo"] == b"made by a service that ran too soon"


def test_the_only_copy_is_not_replaced_by_that_of_a_platform_that_lost_its_keys(site: Site) -> None:
    site.save()
    saved = site.file.read_bytes()
    site.keys.delete_one({"_id": "bo"})
    site.keys.insert_one({"_id": "cem", "key": b"cem"})
    with pytest.raises(NotAFile, match=r"holds 1 documents that .* lacks, and is not replaced by less"):
        site.save()
    assert site.file.read_bytes() == saved
    site.load()
    assert site.save() == {site.file.name: 3}


def test_a_server_without_these_collections_is_another_one(site: Site) -> None:
    with pytest.raises(NotAFile, match="was given nothing"):
        save(site.uri, ["synthetic-nowhere"], COLLECTIONS["persons"], site.folder)
    site.save()
    site.keys.drop()
    with pytest.raises(NotAFile, match="is not replaced by less"):
        site.save()


def test_a_full_disk_leaves_the_saved_keys_and_no_further_copy_of_them(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.save()
    saved = site.file.read_bytes()
    (site.folder / f".{site.file.name}.1").write_bytes(saved)  # of a process that was killed

    def fail(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    site.keys.insert_one({"_id": "cem", "key": b"cem"})
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(NotAFile, match="No space left on device"):
        site.save()
    assert {path.name: path.read_bytes() for path in site.folder.iterdir()} == {site.file.name: saved}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (bson.encode({"_id": "anne", "key": b"anne"})[:-3], "cut off"),
        (b"{}", "cut off, or something else"),
        (bson.encode({"key": b"of nobody"}), "without _id"),
        (None, "is not a regular file"),
    ],
)
def test_what_is_no_backup_is_named(site: Site, content: bytes | None, says: str) -> None:
    site.folder.mkdir()
    os.mkfifo(site.file) if content is None else site.file.write_bytes(content)
    before = held(site)
    with pytest.raises(NotAFile, match=says):
        site.load()
    assert held(site) == before

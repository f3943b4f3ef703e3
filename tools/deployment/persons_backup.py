"""Collections that are on no topic and in no export, saved apart as BSON files: keys of persons, staff, documents.

Each file is what `mongodump` writes: whole documents, one after another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bson
from pymongo import WriteConcern
from pymongo.errors import DuplicateKeyError

from tools.client.mongodb_client import connect
from tools.client.stack_home import database
from tools.files import NotAFile, alone_in, look_at_folder, make_folder, remove_partials, replacing, sentence

KEYS, CHUNKS = "keys", "documents.chunks"
COLLECTIONS: Mapping[str, tuple[str, ...]] = {
    "persons": (KEYS, "staff"),
    "documents": ("documents.files", CHUNKS),
}
ERASE = {"$unset": {"key": "", "name": ""}, "$set": {"erased": True}}
DURABLE = WriteConcern(w="majority", j=True)
Document = Mapping[str, Any]


@dataclass
class Loaded:
    """The counts of one file's documents: added, erased as the file says, and there with other content, which stays."""

    added: int = 0
    erased: int = 0
    differing: int = 0


def save(uri: str, services: Iterable[str], names: Iterable[str], folder: Path) -> dict[str, int]:
    """Write the collections of each service into files; return how many documents each file has.

    Raises NotAFile, also where the folder holds what the database lacks: the copy of another deployment, or of this
    one before its loss.
    """
    counts = {}
    collections = [*names]
    look_at_folder(folder)
    with connect(uri) as client:
        client.admin.command("ping")
        make_folder(folder)
        with alone_in(folder):
            for service in services:
                existing = client[database(service)].list_collection_names()
                for name in collections:
                    path, collection = folder / f"{service}.{name}.bson", client[database(service)][name]
                    if name != CHUNKS:  # those of a broken upload are removed
                        _check_that_nothing_is_lost(path, collection)
                    if name in existing:
                        counts[path.name] = _write(path, collection.find().sort("_id", 1))
    if not counts:
        raise NotAFile(f"{folder} was given nothing: this server has none of these collections; name the right one")
    return counts


def _check_that_nothing_is_lost(path: Path, collection: Any) -> None:
    """Refuse to replace a file by less: nothing is ever removed from these collections. Raises NotAFile."""
    try:
        saved = {_id(document) for document in _read(path)} if path.exists() else set()
    except NotAFile:
        return  # a spoilt one holds nothing to lose
    if lacking := len(saved - {_id(document) for document in collection.find({}, {"_id": 1})}):
        raise NotAFile(
            f"{path} holds {lacking} documents that {collection.full_name} lacks, and is not replaced by less. After a "
            "loss load it first (throughline backup load); if it is of another deployment, name another folder"
        )


def _id(document: Document) -> bytes:
    return bson.encode({"_id": document.get("_id")})


def _write(path: Path, documents: Iterable[Document]) -> int:
    """Replace a private file atomically; return how many documents it has. Raises NotAFile."""
    count = 0
    try:
        remove_partials(path)  # they hold keys of persons, of whom one may have been erased since
        with replacing(path) as file:
            for count, document in enumerate(documents, start=1):  # noqa: B007
                file.write(bson.encode(document))
    except OSError as fault:
        raise NotAFile(sentence(path, "written", fault)) from None
    return count


def load(uri: str, services: Iterable[str], folder: Path) -> dict[str, Loaded]:
    """Add what each file holds and the database lacks; return the counts of each file. Raises NotAFile.

    What is there stays: the mark of an erased person is never replaced by an older key. Such a mark in the file is
    taken, too: an older backup may have been loaded before this one.
    """
    counts = {}
    names = [name for group in COLLECTIONS.values() for name in group]
    try:
        saved = {path.name for path in folder.iterdir()}
    except OSError as fault:
        raise NotAFile(sentence(folder, "read", fault)) from None
    with connect(uri) as client:
        for service in services:
            for name in names:
                if (path := folder / f"{service}.{name}.bson").name in saved:
                    target = client[database(service)].get_collection(name, write_concern=DURABLE)
                    counts[path.name] = _loaded(target, _read(path))
    if not counts:
        raise NotAFile(f"{folder} holds no file such as nominations.keys.bson")
    return counts


def _loaded(target: Any, documents: Iterable[Document]) -> Loaded:
    loaded = Loaded()
    for document in documents:
        try:
            target.insert_one(document)
            loaded.added += 1
        except DuplicateKeyError:
            there = target.find_one({"_id": document["_id"]}) or {}
            if there == document or there.get("erased"):
                continue
            if document.get("erased"):
                target.update_one({"_id": document["_id"]}, ERASE)
                loaded.erased += 1
            else:
                loaded.differing += 1
    return loaded


def _read(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists() and not path.is_file():
        raise NotAFile(f"{path} is not a regular file")
    try:
        with path.open("rb") as file:
            for document in bson.decode_file_iter(file):
                if "_id" not in document:
                    raise NotAFile(f"{path} holds a document without _id, as no backup does")
                yield document
    except OSError as fault:
        raise NotAFile(sentence(path, "read", fault)) from None
    except bson.errors.InvalidBSON:
        raise NotAFile(f"{path} cannot be read as BSON: it is cut off, or something else") from None

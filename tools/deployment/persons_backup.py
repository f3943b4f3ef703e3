"""Collections that are on no topic and in no export, saved apart as BSON files: keys of persons, staff, documents.

Each file is what `mongodump` writes: whole documents, one after another.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import bson
from pymongo import MongoClient, WriteConcern
from pymongo.errors import DuplicateKeyError

from tools.client.stack_home import database
from tools.files import NotAFile, look_at_folder

COLLECTIONS: Mapping[str, tuple[str, ...]] = {
    "persons": ("keys", "staff"),
    "documents": ("documents.files", "documents.chunks"),
}
SELECTION_MS = 10_000
DURABLE = WriteConcern(w="majority", j=True)
Client = MongoClient[dict[str, Any]]


def save(uri: str, services: Iterable[str], names: Iterable[str], folder: Path) -> dict[str, int]:
    """Write the collections of each service into files; return how many documents each file has. Raises NotAFile."""
    counts = {}
    collections = [*names]
    with Client(uri, serverSelectionTimeoutMS=SELECTION_MS) as client:
        for service in services:
            existing = client[database(service)].list_collection_names()
            for name in (each for each in collections if each in existing):
                rows = client[database(service)][name].find().sort("_id", 1)
                counts[f"{service}.{name}.bson"] = _write(folder / f"{service}.{name}.bson", rows)
    return counts


def _write(path: Path, documents: Iterable[Mapping[str, Any]]) -> int:
    """Replace a private file atomically; return how many documents it has. Raises NotAFile."""
    look_at_folder(path.parent)
    partial, count = path.with_name(f".{path.name}.{os.getpid()}"), 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            for count, document in enumerate(documents, start=1):  # noqa: B007
                file.write(bson.encode(document))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as fault:
        raise NotAFile(f"{path} cannot be written ({type(fault).__name__})") from None
    return count


def load(uri: str, services: Iterable[str], folder: Path) -> dict[str, int]:
    """Add what each file holds and the database lacks; return how many documents were added. Raises NotAFile.

    What is there stays: the mark of an erased person is never replaced by an older key.
    """
    counts = {}
    names = [name for group in COLLECTIONS.values() for name in group]
    with Client(uri, serverSelectionTimeoutMS=SELECTION_MS) as client:
        for service in services:
            for name in names:
                if (path := folder / f"{service}.{name}.bson").exists():
                    target = client[database(service)].get_collection(name, write_concern=DURABLE)
                    counts[path.name] = sum(_added(target, document) for document in _read(path))
    if not counts:
        raise NotAFile(f"{folder} holds no file such as nominations.keys.bson")
    return counts


def _added(collection: Any, document: Mapping[str, Any]) -> bool:
    try:
        collection.insert_one(document)
    except DuplicateKeyError:
        return False
    return True


def _read(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            yield from bson.decode_file_iter(file)
    except (OSError, bson.errors.InvalidBSON) as fault:
        raise NotAFile(f"{path} cannot be read as BSON ({type(fault).__name__})") from None

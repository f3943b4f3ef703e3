"""Indexes and collections of a service: each store declares its own, `throughline indexes ensure` creates them.

A service has no right to create any: an index that expires documents, or a unique one, would let it delete or block
what it may only insert.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import IndexModel
from pymongo.errors import OperationFailure

Indexes = Mapping[str, Sequence[IndexModel]]
"""Collections by name, each with its indexes beside the one on `_id`."""

COLLECTION_EXISTS = 48
_OF_A_VALIDATOR = frozenset({"validationAction", "validationLevel"})
_BY_ID = IndexModel("_id", name="_id_")
_NOT_COMPARED = frozenset({"background", "language_override", "ns", "textIndexVersion", "v", "weights"})


async def ensure(database: AsyncIOMotorDatabase[Any], indexes: Indexes) -> list[str]:
    """Create the missing collections and indexes; return every difference that is left, and change none of them."""
    present = {each["name"]: each["type"] for each in await _collections(database, indexes)}
    for name, declared in indexes.items():
        if name not in present:
            await _create(database, name)
        if present.get(name, "collection") == "collection":
            there = {index["name"] for index in await database[name].list_indexes().to_list(None)}
            if missing := [index for index in declared if index.document["name"] not in there]:
                await database[name].create_indexes(missing)
    return await differences(database, indexes)


async def differences(database: AsyncIOMotorDatabase[Any], indexes: Indexes) -> list[str]:
    """Return a sentence for each collection or index that is missing, not declared, or unlike its declaration."""
    present = {each["name"]: each for each in await _collections(database, indexes)}
    sentences: list[str] = []
    for name, declared in indexes.items():
        collection = present.get(name)
        if collection is None:
            sentences.append(f"the collection {name} is missing")
        elif (options := _options(collection)) or collection["type"] != "collection":
            sentences.append(f"{name} is a {collection['type']} with options {options}, declared without any")
        else:
            sentences += _of_indexes(name, await database[name].list_indexes().to_list(None), declared)
    return sentences


def _options(collection: Mapping[str, Any]) -> dict[str, Any]:
    """Return a collection's options, without those that a validator leaves behind when it is taken away."""
    options = dict(collection["options"])
    left_behind = frozenset() if "validator" in options else _OF_A_VALIDATOR
    return {name: value for name, value in options.items() if name not in left_behind}


def _of_indexes(collection: str, actual: Iterable[Mapping[str, Any]], declared: Sequence[IndexModel]) -> list[str]:
    wanted = {index.document["name"]: _comparable(index.document) for index in (_BY_ID, *declared)}
    present = {index["name"]: _comparable(index) for index in actual}
    missing = [f"the index {name} of {collection} is missing" for name in wanted if name not in present]
    others = [
        f"the index {name} of {collection} is {index}, "
        + (f"declared {wanted[name]}" if name in wanted else "not declared")
        for name, index in present.items()
        if index != wanted.get(name)
    ]
    return missing + others


def _comparable(index: Mapping[str, Any]) -> dict[str, Any]:
    """Return an index's key and options, without those that the server adds; of a text index, its fields by name."""
    key = dict(index["key"])
    texts = index.get("weights") or [field for field, kind in key.items() if kind == "text"]
    fields = dict.fromkeys(sorted(texts), "text") if texts else key
    options = {name: value for name, value in index.items() if name not in _NOT_COMPARED | {"key", "name"}}
    return {"key": list(fields.items()), **options}


async def _collections(database: AsyncIOMotorDatabase[Any], indexes: Indexes) -> Sequence[Mapping[str, Any]]:
    cursor = await database.list_collections(filter={"name": {"$in": list(indexes)}})
    return await cursor.to_list(None)


async def _create(database: AsyncIOMotorDatabase[Any], name: str) -> None:
    try:
        await database.command("create", name)
    except OperationFailure as failure:
        if failure.code != COLLECTION_EXISTS:
            raise

"""Encrypts personal fields with a key per person: decrypted for display, lost for ever once the key is destroyed.

AES-256-GCM. The nonce is derived from key and plaintext, so one person's same details give the same box: a retried
command has the same digest, and a box reveals only that details of one person are equal.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from bson.binary import Binary
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import WriteConcern
from pymongo.errors import DuplicateKeyError

from shared.domain.rejections import PersonIsAnotherMembers, PersonWasErased, Rejection
from shared.events.values import Sealed
from shared.store.indexes import Indexes

INDEXES: Indexes = {"keys": []}
KEY_BYTES = 32
NONCE_BYTES = 12
ERASED = "[erased]"
NO_CHANGE: Mapping[str, Any] = {"$setOnInsert": {}}
"""An update that changes nothing, and waits until the majority has what it found."""


def encrypt(key: bytes, person: str, details: Mapping[str, str]) -> Sealed:
    """Encrypt a person's details; the person's id is authenticated with the box."""
    plain = orjson.dumps(dict(details), option=orjson.OPT_SORT_KEYS)
    nonce = hmac.new(key, b"nonce\x00" + plain, hashlib.sha256).digest()[:NONCE_BYTES]
    box = nonce + AESGCM(key).encrypt(nonce, plain, person.encode())
    return Sealed(person=person, box=base64.b64encode(box).decode())


def decrypt(key: bytes, sealed: Sealed) -> dict[str, str] | None:
    """Decrypt a box; None if the key is another one, or the box is damaged."""
    try:
        box = base64.b64decode(sealed.box)
        plain = AESGCM(key).decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], sealed.person.encode())
    except (InvalidTag, binascii.Error):
        return None
    details: dict[str, str] = orjson.loads(plain)
    return details


def _opened(entries: Mapping[str, Mapping[str, Any]], sealed: Sealed) -> dict[str, str] | None:
    entry = entries.get(sealed.person, {})
    return decrypt(bytes(entry["key"]), sealed) if "key" in entry else None


class KeyRing:
    """The keys of the persons whom this service owns, in its own database.

    `{_id: person, key, owner}`; once the key is destroyed `{_id: person, erased: true, owner}` for ever, and no key is
    created again. `owner` is the member whose Government named the person first.
    """

    def __init__(self, database: AsyncIOMotorDatabase[Any]) -> None:
        self._keys = database.get_collection("keys", write_concern=WriteConcern(w="majority", j=True))

    async def encrypt(
        self, person: str, details: Mapping[str, str], owner: str | None = None, *, owned: bool = False
    ) -> Sealed | Rejection:
        """Encrypt a person's details; create the person's key, for `owner`, at the first call.

        Refuse an erased person and, where it must be `owned`, a person whom another member named first.
        """
        entry = await self._find_or_create(person, owner)
        if owned and entry.get("owner", owner) != owner:
            return PersonIsAnotherMembers(person)
        return encrypt(bytes(entry["key"]), person, details) if "key" in entry else PersonWasErased(person)

    async def draft(self, person: str, details: Mapping[str, str]) -> Sealed:
        """Encrypt a person's details for a dry run: under a key that is thrown away, where the person has none."""
        entry = await self._keys.find_one({"_id": person}) or {}
        return encrypt(bytes(entry.get("key") or os.urandom(KEY_BYTES)), person, details)

    async def decrypt(self, sealed: Sealed) -> dict[str, str] | None:
        """Decrypt a box for display; None without its key."""
        return _opened(await self.entries([sealed.person]), sealed)

    async def shown(self, boxes: Sequence[Sealed], fields: Iterable[str]) -> list[dict[str, str] | None]:
        """Decrypt boxes for display, with one query for all their keys.

        Of an erased person, return `[erased]` in each field; None where the key is lost.
        """
        entries, erased = await self.entries({box.person for box in boxes}), dict.fromkeys(fields, ERASED)
        return [dict(erased) if entries.get(box.person, {}).get("erased") else _opened(entries, box) for box in boxes]

    async def knows(self, person: str) -> bool:
        """Tell whether this person has or had a key."""
        return person in await self.entries([person])

    async def erased(self, person: str) -> bool:
        """Tell whether the person's key was destroyed on purpose."""
        return bool((await self.entries([person])).get(person, {}).get("erased"))

    async def entries(self, persons: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """Return what is stored of these persons, in one query."""
        rows = self._keys.find({"_id": {"$in": list(persons)}})
        return {row["_id"]: row async for row in rows}

    async def destroy(self, person: str) -> None:
        """Destroy a person's key for good; idempotent."""
        await self._keys.update_one({"_id": person}, {"$unset": {"key": ""}, "$set": {"erased": True}}, upsert=True)

    async def _find_or_create(self, person: str, owner: str | None) -> Mapping[str, Any]:
        """Return what is stored of a person, on the disks of the majority; create a key where there is nothing.

        The key travels as a document to insert, which MongoDB's log of slow operations leaves out. In the condition
        or the change of an update it would be repeated there, and outlive its destruction.
        """
        first = {"_id": person, "key": Binary(os.urandom(KEY_BYTES))} | ({"owner": owner} if owner else {})
        for _ in range(2):
            entry: Mapping[str, Any] | None = await self._keys.find_one_and_update({"_id": person}, NO_CHANGE)
            if entry is not None:
                return entry
            try:
                await self._keys.insert_one(first)
            except DuplicateKeyError:
                continue
            return first
        raise RuntimeError("the key of a person could be neither created nor read")

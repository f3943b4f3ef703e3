"""Personal fields: sealed with a key per person, opened for display, gone when the key is destroyed.

AES-256-GCM. The nonce is made from the key and the plaintext, so sealing the same words twice gives the same box: a
retried command has the same digest, and only equality of one person's own words can be told.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from bson.binary import Binary
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ReturnDocument, WriteConcern
from pymongo.errors import DuplicateKeyError

from shared.domain.rejections import PersonIsAnotherMembers, PersonWasErased, Rejection
from shared.events.values import Sealed

KEY_BYTES = 32
NONCE_BYTES = 12
ERASED = "[erased]"


def seal(key: bytes, person: str, details: Mapping[str, str]) -> Sealed:
    """Encrypt a person's details; the person's id is bound to the box."""
    plain = orjson.dumps(dict(details), option=orjson.OPT_SORT_KEYS)
    nonce = hmac.new(key, b"nonce\x00" + plain, hashlib.sha256).digest()[:NONCE_BYTES]
    box = nonce + AESGCM(key).encrypt(nonce, plain, person.encode())
    return Sealed(person=person, box=base64.b64encode(box).decode())


def unseal(key: bytes, sealed: Sealed) -> dict[str, str] | None:
    """Decrypt a box; None if the key is not the one that sealed it, or the box is not whole."""
    try:
        box = base64.b64decode(sealed.box)
        plain = AESGCM(key).decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], sealed.person.encode())
    except (InvalidTag, binascii.Error):
        return None
    details: dict[str, str] = orjson.loads(plain)
    return details


class KeyRing:
    """The keys of the persons whom this service owns, in its own database.

    `{_id: person, key, owner}`; `{_id: person, erased: true, owner}` for ever once the key is destroyed: none is
    made again. `owner` is the member whose Government named the person first.
    """

    def __init__(self, database: AsyncIOMotorDatabase[Any]) -> None:
        self._keys = database.get_collection("keys", write_concern=WriteConcern(w="majority", j=True))

    async def seal(
        self, person: str, details: Mapping[str, str], owner: str | None = None, *, owned: bool = False
    ) -> Sealed | Rejection:
        """Seal a person's details, making the person's key at first, for `owner`.

        Refused for a person who was erased and, if it must be `owned`, for one whom another member named first.
        """
        found = await self._found_or_made(person, owner)
        if owned and found.get("owner", owner) != owner:
            return PersonIsAnotherMembers(person)
        return seal(bytes(found["key"]), person, details) if "key" in found else PersonWasErased(person)

    async def open(self, sealed: Sealed) -> dict[str, str] | None:
        """Open a box for display; None where the key is gone."""
        found = await self._keys.find_one({"_id": sealed.person})
        return unseal(bytes(found["key"]), sealed) if found and "key" in found else None

    async def shown(self, sealed: Sealed, fields: Iterable[str]) -> dict[str, str] | None:
        """Open a box for display: `[erased]` in each field of an erased person, None where the key is lost."""
        details = await self.open(sealed)
        if details is None and await self.erased(sealed.person):
            return dict.fromkeys(fields, ERASED)
        return details

    async def knows(self, person: str) -> bool:
        """Tell whether anything was ever sealed under this id."""
        return await self._keys.find_one({"_id": person}, {"_id": 1}) is not None

    async def erased(self, person: str) -> bool:
        """Tell whether the person's key was destroyed on purpose."""
        return await self._keys.find_one({"_id": person, "erased": True}, {"_id": 1}) is not None

    async def destroy(self, person: str) -> None:
        """Destroy a person's key, and let none be made again. A second time, nothing."""
        await self._keys.update_one({"_id": person}, {"$unset": {"key": ""}, "$set": {"erased": True}}, upsert=True)

    async def _found_or_made(self, person: str, owner: str | None) -> Mapping[str, Any]:
        first = {"key": Binary(os.urandom(KEY_BYTES))} | ({"owner": owner} if owner else {})
        for _ in range(2):
            try:
                found: Mapping[str, Any] = await self._keys.find_one_and_update(
                    {"_id": person}, {"$setOnInsert": first}, upsert=True, return_document=ReturnDocument.AFTER
                )
            except DuplicateKeyError:
                continue
            return found
        raise RuntimeError("the key of a person could be neither made nor read")

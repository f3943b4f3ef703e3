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
from collections.abc import Mapping
from typing import Any

import orjson
from bson.binary import Binary
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ReturnDocument, WriteConcern
from pymongo.errors import DuplicateKeyError

from shared.events.values import Sealed

KEY_BYTES = 32
NONCE_BYTES = 12


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
    """The keys of the persons whom this service owns, in its own database."""

    def __init__(self, database: AsyncIOMotorDatabase[Any]) -> None:
        self._keys = database.get_collection("keys", write_concern=WriteConcern(w="majority", j=True))

    async def seal(self, person: str, details: Mapping[str, str]) -> Sealed:
        """Seal a person's details, making the person's key at first."""
        return seal(await self._key_for(person), person, details)

    async def open(self, sealed: Sealed) -> dict[str, str] | None:
        """Open a box for display; None where the key is gone."""
        found = await self._keys.find_one({"_id": sealed.person})
        return unseal(bytes(found["key"]), sealed) if found else None

    async def _key_for(self, person: str) -> bytes:
        made = {"$setOnInsert": {"key": Binary(os.urandom(KEY_BYTES))}}
        for _ in range(2):
            try:
                found = await self._keys.find_one_and_update(
                    {"_id": person}, made, upsert=True, return_document=ReturnDocument.AFTER
                )
                return bytes(found["key"])
            except DuplicateKeyError:
                continue
        raise RuntimeError("the key of a person could be neither made nor read")

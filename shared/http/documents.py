"""Documents: uploads in the owning service's GridFS, under the SHA-256 of their bytes.

Their collections are insert-only: the bytes of a digest never change, and two concurrent uploads of it store the same.
What is stored can never be deleted by the service, so each role may store a limited number of limited size.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, StreamingResponse
from gridfs.errors import NoFile
from motor.motor_asyncio import AsyncIOMotorDatabase, AsyncIOMotorGridFSBucket
from pymongo import ASCENDING, IndexModel, WriteConcern

from shared.domain.visibility import readers, sees
from shared.events.wording import form
from shared.http.auth import Principal, allow
from shared.http.problems import Refused
from shared.http.routes import StrictRoute
from shared.store.indexes import Indexes

INDEXES: Indexes = {
    "documents.files": [IndexModel([("filename", ASCENDING), ("uploadDate", ASCENDING)])],
    "documents.chunks": [IndexModel([("files_id", ASCENDING), ("n", ASCENDING)], unique=True)],
}
MIB = 1024 * 1024


@dataclass(frozen=True)
class Limit:
    """The bytes that one document may hold, and the documents that one service stores, in words for `whose`."""

    size: int
    number: int
    whose: str


LIMITS = {
    "secretariat": Limit(64 * MIB, 10_000, "the secretariat"),
    "focal_point": Limit(16 * MIB, 200, "the focal points of one member"),
}
UPLOADS = 8
UPLOADS_OF_ONE = 2
IN_MEMORY = 4 * 1024 * 1024
_DIGEST = form(r"^[0-9a-f]{64}$", "64 digits and small letters from a to f, a SHA-256 in hex")
_Digest = Annotated[str, Path(pattern=_DIGEST, description="SHA-256 of the document's bytes, hex")]


class Documents:
    """The documents of one service."""

    def __init__(self, database: AsyncIOMotorDatabase[Any]) -> None:
        durable = WriteConcern(w="majority", j=True)
        self._files = database.get_collection("documents.files")
        self._bucket = AsyncIOMotorGridFSBucket(database, bucket_name="documents", write_concern=durable)

    async def put(self, digest: str, media_type: str, content: IO[bytes], owner: dict[str, str]) -> bool:
        """Store a document of an owner; False where it is stored already."""
        if await self.has(digest):
            return False
        await self._bucket.upload_from_stream(digest, content, metadata={"media_type": media_type, **owner})
        return True

    async def count(self, owner: dict[str, str]) -> int:
        """Count the documents that an owner has stored."""
        query = {f"metadata.{name}": value for name, value in owner.items()}
        return await self._files.count_documents(query)

    async def has(self, digest: str) -> bool:
        """Tell whether a document is completely stored."""
        return bool(await self._bucket.find({"filename": digest}).limit(1).to_list(1))

    async def get(self, digest: str) -> tuple[Mapping[str, str], AsyncIterator[bytes]]:
        """Return what was noted of a document, its content type ("" where none was given) and owner, and its bytes.

        Raises NoFile.
        """
        download = await self._bucket.open_download_stream_by_name(digest)

        async def chunks() -> AsyncIterator[bytes]:
            while chunk := await download.readchunk():
                yield chunk

        return download.metadata or {}, chunks()


def documents_router(documents: Documents, writers: frozenset[str], kind: str) -> APIRouter:
    """Return the endpoints that upload and download documents, to those who see this kind of them."""
    router, uploads = APIRouter(tags=["documents"], route_class=StrictRoute), Uploads()

    @router.put("/documents/{digest}", summary="Store a document under the SHA-256 of its bytes")
    async def put_document(digest: _Digest, request: Request, caller: Principal = allow(writers)) -> JSONResponse:
        media_type = request.headers.get("Content-Type", "")
        limit, owner = LIMITS[caller.role], _owner(caller)
        with uploads.begun(caller), tempfile.SpooledTemporaryFile(IN_MEMORY) as content:
            if not await documents.has(digest) and await documents.count(owner) >= limit.number:
                raise Refused(
                    409, "TooManyDocuments", f"{limit.whose} may store {limit.number} documents here, not more"
                )
            actual = await _receive(request, content, limit.size)
            if actual != digest:
                raise Refused(422, "DigestDiffers", f"these bytes have the SHA-256 {actual}: put them under that name")
            content.seek(0)
            stored = await documents.put(digest, media_type, content, owner)
        return JSONResponse({"digest": digest, "stored": stored}, 201 if stored else 200)

    @router.get("/documents/{digest}", summary="A document's bytes")
    async def get_document(digest: _Digest, caller: Principal = allow(readers(kind))) -> StreamingResponse:
        try:
            noted, chunks = await documents.get(digest)
        except NoFile:
            noted = {}
        if not noted or not sees(caller, kind, noted):
            raise Refused(404, "NotOnRecord", "no document with this digest is stored here for you to read")
        media_type = noted["media_type"]
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        headers |= {"Content-Type": media_type} if media_type else {}
        return StreamingResponse(chunks, headers=headers)

    return router


class Uploads:
    """The uploads in progress: a limited number, and of one caller fewer, so that a slow one keeps nobody out."""

    def __init__(self) -> None:
        self._in_progress: Counter[str] = Counter()

    @contextmanager
    def begun(self, caller: Principal) -> Iterator[None]:
        """Count an upload until it ends. Raises Refused (503)."""
        uploader = caller.member or caller.actor
        if self._in_progress.total() >= UPLOADS or self._in_progress[uploader] >= UPLOADS_OF_ONE:
            detail = f"{UPLOADS} uploads at a time, {UPLOADS_OF_ONE} of one caller: send it again in a moment"
            raise Refused(503, "TooManyUploads", detail, headers={"Retry-After": "2"})
        self._in_progress[uploader] += 1
        try:
            yield
        finally:
            self._in_progress -= Counter([uploader])


def _owner(caller: Principal) -> dict[str, str]:
    return {"role": caller.role, **({"member": caller.member} if caller.member else {})}


async def _receive(request: Request, content: IO[bytes], limit: int) -> str:
    """Write a request's body to a file, and return its SHA-256. Raises Refused (413)."""
    announced = request.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced[:20]) > limit:
        raise _too_large(limit)
    digest, size = hashlib.sha256(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        digest.update(chunk)
        content.write(chunk)
    return digest.hexdigest()


def _too_large(limit: int) -> Refused:
    return Refused(413, "BodyTooLarge", f"a document of your role holds at most {limit} bytes")

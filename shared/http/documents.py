"""Documents: uploads in the owning service's GridFS, under the SHA-256 of their bytes.

Their collections are insert-only: the bytes of a digest never change, and two concurrent uploads of it store the same.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import AsyncIterator
from typing import IO, Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, StreamingResponse
from gridfs.errors import NoFile
from motor.motor_asyncio import AsyncIOMotorDatabase, AsyncIOMotorGridFSBucket
from pymongo import ASCENDING, IndexModel, WriteConcern

from shared.http.auth import Principal, allow
from shared.http.problems import Refused
from shared.store.indexes import Indexes

INDEXES: Indexes = {
    "documents.files": [IndexModel([("filename", ASCENDING), ("uploadDate", ASCENDING)])],
    "documents.chunks": [IndexModel([("files_id", ASCENDING), ("n", ASCENDING)], unique=True)],
}
LIMIT = 64 * 1024 * 1024
IN_MEMORY = 4 * 1024 * 1024
_Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the document's bytes, hex")]


class Documents:
    """The documents of one service."""

    def __init__(self, database: AsyncIOMotorDatabase[Any]) -> None:
        durable = WriteConcern(w="majority", j=True)
        self._bucket = AsyncIOMotorGridFSBucket(database, bucket_name="documents", write_concern=durable)

    async def put(self, digest: str, media_type: str, content: IO[bytes]) -> bool:
        """Store a document; False where it is stored already."""
        if await self.has(digest):
            return False
        await self._bucket.upload_from_stream(digest, content, metadata={"media_type": media_type})
        return True

    async def has(self, digest: str) -> bool:
        """Tell whether a document is completely stored."""
        return bool(await self._bucket.find({"filename": digest}).limit(1).to_list(1))

    async def get(self, digest: str) -> tuple[str, AsyncIterator[bytes]]:
        """Return a document's media type and bytes. Raises NoFile."""
        download = await self._bucket.open_download_stream_by_name(digest)

        async def chunks() -> AsyncIterator[bytes]:
            while chunk := await download.readchunk():
                yield chunk

        return str((download.metadata or {})["media_type"]), chunks()


def documents_router(documents: Documents, writers: frozenset[str], readers: frozenset[str]) -> APIRouter:
    """Return the endpoints that upload and download documents."""
    router = APIRouter(tags=["documents"])

    @router.put("/documents/{digest}", summary="Store a document under the SHA-256 of its bytes")
    async def put_document(digest: _Digest, request: Request, _caller: Principal = allow(writers)) -> JSONResponse:
        media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as content:
            actual = await _receive(request, content)
            if actual != digest:
                raise Refused(422, "DigestDiffers", f"these bytes have the SHA-256 {actual}: put them under that name")
            content.seek(0)
            stored = await documents.put(digest, media_type or "application/octet-stream", content)
        return JSONResponse({"digest": digest, "stored": stored}, 201 if stored else 200)

    @router.get("/documents/{digest}", summary="A document's bytes")
    async def get_document(digest: _Digest, _caller: Principal = allow(readers)) -> StreamingResponse:
        try:
            media_type, chunks = await documents.get(digest)
        except NoFile:
            raise Refused(404, "NotOnRecord", "no document with this digest is stored here") from None
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return StreamingResponse(chunks, media_type=media_type, headers=headers)

    return router


async def _receive(request: Request, content: IO[bytes]) -> str:
    """Write a request's body to a file, and return its SHA-256. Raises Refused (413)."""
    digest, size = hashlib.sha256(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LIMIT:
            raise Refused(413, "BodyTooLarge", f"a document holds at most {LIMIT} bytes")
        digest.update(chunk)
        content.write(chunk)
    return digest.hexdigest()

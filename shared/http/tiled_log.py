"""The ledger as a C2SP tiled log over HTTP: checkpoints, tiles and entries, for auditors and third-party verifiers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse, Response

from shared.domain.visibility import readers
from shared.http.auth import Principal, allow
from shared.http.problems import Refused
from shared.http.routes import StrictRoute
from shared.ledger.checkpoints import Checkpoints
from shared.tlog.keys import LogKeys
from shared.tlog.tiles import Tile

_Auditor = Annotated[Principal, allow(readers("event"))]
_BYTES = "application/octet-stream"


def tiled_log_router(checkpoints: Checkpoints, keys: LogKeys) -> APIRouter:
    """Return the endpoints of a service's log; `/log` is the prefix that a C2SP client takes."""
    router = APIRouter(prefix="/log", tags=["log"], route_class=StrictRoute)

    @router.get("", summary="The log's origin, how many events are published, and how many under the newest checkpoint")
    async def sizes(_caller: _Auditor) -> dict[str, Any]:
        newest = await checkpoints.newest()
        published = await checkpoints.published()
        return {"origin": keys.signer.name, "published": published, "sealed": newest.size if newest else -1}

    @router.get("/checkpoint", summary="The newest signed checkpoint", response_class=PlainTextResponse)
    async def checkpoint(_caller: _Auditor) -> Response:
        newest = await checkpoints.newest()
        if newest is None:
            raise Refused(404, "NotOnRecord", "no checkpoint has been signed yet")
        return Response(newest.note, media_type="text/plain; charset=utf-8")

    @router.get("/checkpoints", summary="Every signed checkpoint, by its size")
    async def every_checkpoint(
        _caller: _Auditor,
        after: Annotated[int, Query(ge=-1, le=2**53, description="only larger ones")] = -1,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 500,
    ) -> dict[str, Any]:
        page = await checkpoints.after(after, limit)
        more = {"next": page[-1].size} if len(page) == limit else {}
        return {"items": [{"size": each.size, "note": each.note.decode()} for each in page], **more}

    @router.get("/breaks", summary="Every declared break of the log, the oldest first")
    async def every_break(_caller: _Auditor) -> dict[str, Any]:
        return {"items": [note.decode() for note in await checkpoints.breaks()]}

    @router.get("/keys", summary="The log's current key, then its retired ones", response_class=PlainTextResponse)
    async def every_key(_caller: _Auditor) -> Response:
        return Response("".join(f"{key.vkey}\n" for key in keys.verifiers), media_type="text/plain; charset=utf-8")

    @router.get(
        "/tile/{tile:path}", summary="Hashes (`<L>/<N>`) or events (`entries/<N>`), as C2SP tlog-tiles lays them out"
    )
    async def one_tile(tile: str, _caller: _Auditor) -> Response:
        content = await _tile(checkpoints, tile)
        if content is None:
            raise Refused(404, "NotOnRecord", "the log has no such tile, or does not reach so far yet")
        return Response(content, media_type=_BYTES)

    return router


async def _tile(checkpoints: Checkpoints, path: str) -> bytes | None:
    tile, newest = Tile.at(f"tile/{path}"), await checkpoints.newest()
    if tile is None or newest is None or not tile.within(newest.size):
        return None
    try:
        return await checkpoints.tile(tile)
    except LookupError as missing:
        raise Refused(500, "StoreIncomplete", f"the ledger names {missing}, and the store has no such event") from None

"""Uploaded documents, read back by the SHA-256 of their bytes: always as a download, never shown as a page."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse
from starlette.requests import Request

from tools.console.kinds import filled
from tools.console.pages.request import services

router = APIRouter()
HOLDERS = ("nominations", "meetings")


@router.get("/documents/{service}/{digest}")
async def document(request: Request) -> Response:
    """Stream a document of a service."""
    service, digest = request.path_params["service"], request.path_params["digest"]
    if service not in HOLDERS:
        return Response(status_code=404)
    opened = services(request).stream(service, filled("/documents/{digest}", {"digest": digest}))
    response = await opened.__aenter__()

    async def chunks() -> AsyncIterator[bytes]:
        try:
            async for chunk in response.aiter_bytes():
                yield chunk
        finally:
            await opened.__aexit__(None, None, None)

    headers = {"Content-Disposition": f'attachment; filename="{digest[:12]}"', "X-Content-Type-Options": "nosniff"}
    return StreamingResponse(chunks(), media_type="application/octet-stream", headers=headers)

"""Uploaded documents, read back by the SHA-256 of their bytes: always as a download, never shown as a page."""

from __future__ import annotations

import httpx2
from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from tools.console.kinds import filled
from tools.console.pages.request import services
from tools.console.services import Problem

router = APIRouter()
HOLDERS = ("nominations", "meetings")


class Download(StreamingResponse):
    """A service's answer, handed on as it arrives; it is closed at the end, also of a reader who goes away."""

    def __init__(self, answer: httpx2.Response, name: str) -> None:
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        super().__init__(answer.aiter_bytes(), media_type="application/octet-stream", headers=headers)
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._answer.aclose()


@router.get("/documents/{service}/{digest}")
async def document(request: Request) -> Response:
    """Download a document of a service."""
    service, digest = request.path_params["service"], request.path_params["digest"]
    if service not in HOLDERS:
        raise Problem(service, 404, {"rule": "NotOnRecord", "detail": "no service has documents of this name"})
    answer = await services(request).open(service, filled("/documents/{digest}", {"digest": digest}))
    return Download(answer, digest[:12])

"""Uploaded documents, read back by the SHA-256 of their bytes: always as a download, never shown as a page."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx2
from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from tools.console.kinds import filled
from tools.console.pages.request import person, renderer, services
from tools.console.services import Problem

router = APIRouter()
HOLDERS = ("nominations", "meetings")
SECONDS = 300.0
DOWNLOADS = 3


class Download(StreamingResponse):
    """A service's answer, handed on as it arrives; it is closed at the end, also of a reader who goes or is too slow.

    A reader has few at a time, for each holds one of the connections that all share.
    """

    def __init__(self, answer: httpx2.Response, name: str, open_downloads: Counter[str], reader: str) -> None:
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        super().__init__(answer.aiter_bytes(), media_type="application/octet-stream", headers=headers)
        self._answer, self._open, self._reader = answer, open_downloads, reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        self._open[self._reader] += 1
        try:
            async with asyncio.timeout(SECONDS):
                await super().__call__(scope, receive, send)
        finally:
            self._open[self._reader] -= 1
            await self._answer.aclose()


@router.get("/documents/{service}/{digest}")
async def document(request: Request) -> Response:
    """Download a document of a service."""
    service, digest = request.path_params["service"], request.path_params["digest"]
    if service not in HOLDERS:
        raise Problem(service, 404, {"rule": "NotOnRecord", "detail": "no service has documents of this name"})
    downloads, reader = request.app.state.downloads, person(request).actor
    if downloads[reader] >= DOWNLOADS:
        return renderer(request).error(request, 429, "downloads_busy")
    answer = await services(request).open(service, filled("/documents/{digest}", {"digest": digest}))
    return Download(answer, digest[:12], downloads, reader)

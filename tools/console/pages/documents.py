"""Uploaded documents, read back by the SHA-256 of their bytes: always as a download, never shown as a page."""

from __future__ import annotations

from contextlib import AsyncExitStack

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from tools.console.downloads import Download
from tools.console.kinds import filled
from tools.console.pages.request import one_download, services
from tools.console.services import Problem

router = APIRouter()
HOLDERS = ("nominations", "meetings")


@router.get("/documents/{service}/{digest}")
async def document(request: Request) -> Response:
    """Download a document of a service."""
    service, digest = request.path_params["service"], request.path_params["digest"]
    if service not in HOLDERS:
        raise Problem(service, 404, {"rule": "NotOnRecord", "detail": "no service has documents of this name"})
    async with AsyncExitStack() as held:
        held.enter_context(one_download(request))
        answer = await services(request).open(service, filled("/documents/{digest}", {"digest": digest}))
        held.push_async_callback(answer.aclose)
        return Download(answer.aiter_bytes(), digest[:12], held.pop_all())

"""The language and the time zone that a person reads in, in two cookies that name nobody."""

from __future__ import annotations

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from tools.console.languages import LANGUAGES, _
from tools.console.pages.request import renderer
from tools.console.security import csrf_token, is_own, local
from tools.console.times import zone_of, zones

router = APIRouter()
_YEAR_SECONDS = 31_536_000


@router.get("/preferences")
async def preferences(request: Request) -> Response:
    """Show the form of language and time zone."""
    return _page(request, zone_of(request))


@router.post("/preferences")
async def choose(
    request: Request,
    language: str = Form(""),
    zone: str = Form(""),
    back: str = Form("/preferences"),
    csrf: str = Form(""),
) -> Response:
    """Keep what a person chose; a word that is no choice changes nothing."""
    if not is_own(request, csrf):
        fault = _("This page was opened in an earlier session. Send it again.")
        return _page(request, zone, 403, fault=fault, chosen=language)
    response = RedirectResponse(local(back), 303)
    chosen = {"language": language if language in LANGUAGES else "", "zone": zone if zone in zones() else ""}
    secure: bool = request.app.state.settings.secure
    for name, value in chosen.items():
        if value:
            response.set_cookie(name, value, _YEAR_SECONDS, secure=secure, httponly=True, samesite="lax")
    return response


def _page(request: Request, own_zone: str, status: int = 200, **more: str) -> Response:
    """Show the form; it has a token for a reader without a person too."""
    token = csrf_token(request)
    return renderer(request).page(
        request, "preferences.html", status, zones=zones(), own_zone=own_zone, **more | {"csrf": token}
    )

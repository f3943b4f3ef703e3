"""Personal data: what is held about a person, and its erasure with a reason."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from tools.client import api
from tools.console.kinds import filled
from tools.console.pages.request import renderer, services

router = APIRouter()
HOLDERS = (("nominations", "/experts/{person}", "expert"), ("notifications", "/subscribers/{person}", "subscriber"))


@router.get("/privacy")
async def privacy(request: Request) -> Response:
    """Show the form that asks for a person, and what each service holds about the one given."""
    person = request.query_params.get("person", "").strip()
    held = []
    for service, path, noun in HOLDERS if person else ():
        part = await services(request).part(service, filled(path, {"person": person}))
        held.append((service, noun, part, api.command(noun, "erase")))
    return renderer(request).page(request, "privacy.html", person_id=person, held=held)

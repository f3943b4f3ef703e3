"""Personal data: what is held about a person, and its erasure with a reason."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from tools.client import api
from tools.console.kinds import filled
from tools.console.pages.request import person as own
from tools.console.pages.request import renderer, services

router = APIRouter()
HOLDERS = (("nominations", "/experts/{person}", "expert"), ("notifications", "/subscribers/{person}", "subscriber"))


@router.get("/privacy")
async def privacy(request: Request) -> Response:
    """Show the form that asks for a person, and what each service holds about the one given."""
    person, role = request.query_params.get("person", "").strip(), own(request).role
    held = []
    for service, path, noun in HOLDERS if person else ():
        part = await services(request).part(service, filled(path, {"person": person}))
        rights = [api.command(noun, word) for word in ("correct", "void")]
        held.append((service, noun, part, [each for each in rights if role in each.roles]))
    return renderer(request).page(request, "privacy.html", person_id=person, held=held)

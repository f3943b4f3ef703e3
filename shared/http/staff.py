"""The staff list over HTTP: one's own name after a sign-in, names for timelines, and their erasure."""

from __future__ import annotations

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Path, Query
from pydantic import Field

from shared.events.values import ID, ID_IN_WORDS, Model, ShortText
from shared.events.wording import form
from shared.http.auth import WRITERS, Principal, allow
from shared.http.problems import FieldError, Refused, invalid
from shared.http.routes import StrictRoute
from shared.privacy.staff import Staff

log = structlog.get_logger()

RECORDING = frozenset({"secretariat", "focal_point", "chair", "operator"})
"""The roles that an actor of the history or of a decision on a dead letter has: nobody else is on the list."""
READ_NAMES = frozenset({"secretariat", "chair", "auditor"})
MOST = 200
_Actor = Annotated[str, Path(pattern=form(ID, ID_IN_WORDS))]
_Actors = Annotated[list[str], Query(min_length=1, max_length=MOST, description="actors of events, each once")]


class OwnName(Model):
    """The name by which others know the caller, where the token has none."""

    name: ShortText | None = Field(None, examples=["Synthetic Officer"])


def staff_router(staff: Staff) -> APIRouter:
    """Return the endpoints of the staff list."""
    router = APIRouter(tags=["staff"], route_class=StrictRoute)

    @router.put("/staff/me", name="enter", summary="Put one's own name on the staff list, at a sign-in")
    async def enter(body: OwnName, caller: Annotated[Principal, allow(RECORDING)]) -> dict[str, Any]:
        name = caller.name or body.name
        if name is None:
            raise invalid([FieldError.of("body.name", "missing", "is required: your token gives no name")])
        if not await staff.put(caller.actor, name):
            raise Refused(409, "NameWasErased", "your name was erased from the staff list, which takes it no more")
        return {"actor": caller.actor, "name": name}

    @router.get("/staff", name="staff", summary="The names behind actors of the history")
    async def names(actor: _Actors, _caller: Annotated[Principal, allow(READ_NAMES)]) -> dict[str, Any]:
        known = await staff.names(set(actor))
        return {"items": [{"actor": each, "name": name} for each, name in sorted(known.items())]}

    @router.post("/staff/{actor}/erase", name="erase_staff", summary="Erase a name from the staff list, for good")
    async def erase(actor: _Actor, caller: Annotated[Principal, allow(RECORDING)]) -> dict[str, Any]:
        may = caller.role in WRITERS or caller.actor == actor
        if not may or not await staff.erase(actor):
            whose = "" if may else " for you: the secretariat and the person erase a name"
            raise Refused(404, "NotOnRecord", f"the staff list holds nothing under this actor{whose}")
        log.info("staff_erased", person=actor)
        return {"actor": actor, "erased": True}

    return router

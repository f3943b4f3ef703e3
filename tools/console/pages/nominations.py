"""Pages of calls, nominations and memberships: what is on record of each, what waits, and what can be done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from tools.console.kinds import filled
from tools.console.pages.group import REGISTERED_ONLY
from tools.console.pages.records import record_content
from tools.console.pages.request import own_command, person, renderer, services
from tools.console.services import Missing

router = APIRouter()
SERVICE = "nominations"
DOCUMENT_READERS = frozenset({"secretariat", "focal_point"})


@router.get("/nominations/{nomination}")
async def nomination(request: Request) -> Response:
    """Show one nomination: who, for which Government, on what note verbale, and what was decided."""
    content = await record_content(request, "nomination")
    state, one = content["record"]["state"], services(request)
    own = state.get("particulars", {})
    call, replaced, membership = await asyncio.gather(
        _beside(request, "/calls/{call}", call=own.get("call")),
        _beside(request, "/memberships/{membership}", membership=own.get("replaces")),
        one.part(SERVICE, filled("/memberships/{nomination}", request.path_params))
        if state["stage"] in ("accepted", "withdrawn")
        else _nothing(),
    )
    return renderer(request).page(
        request, "nomination.html", call=call, replaced=replaced, membership=membership,
        reads_documents=person(request).role in DOCUMENT_READERS, **content,
    )  # fmt: skip


@router.get("/memberships/{membership}")
async def membership(request: Request) -> Response:
    """Show one membership: from when, until when and why, its expert, and what changed."""
    content = await record_content(request, "membership")
    state = content["record"]["state"]
    began = state.get("began", {})
    named, now, meetings = await asyncio.gather(
        _beside(request, "/nominations/{nomination}", nomination=began.get("nomination")),
        _now(request, state) if state.get("changes") else _nothing(),
        services(request).part("meetings", "/meetings", member=began.get("member"), limit=500),
    )
    attended = None if isinstance(meetings, Missing) else attended_by(began.get("membership"), meetings["items"])
    return renderer(request).page(
        request, "membership.html", named=named, now=now, attended=attended, meetings=meetings, **content
    )


@router.get("/calls/{call}")
async def call(request: Request) -> Response:
    """Show one call: its deadline, who answered it and who has not."""
    content = await record_content(request, "call")
    answered = request.query_params.get("answered", "")
    answers = await services(request).part(
        SERVICE, filled("/calls/{call}/answers", request.path_params), answered=answered
    )
    submit = own_command(request, "nomination", "submit") if content["record"]["state"]["stage"] == "open" else None
    return renderer(request).page(
        request, "call.html", answers=answers, answered=answered, submit=submit,
        registered_only=person(request).role in REGISTERED_ONLY, **content,
    )  # fmt: skip


def attended_by(key: str | None, meetings: list[dict[str, Any]]) -> list[tuple[dict[str, Any], str]]:
    """Return the meetings that a membership attended, the latest first, each with its presence."""
    rows = [
        (item, each["fact"]["presence"])
        for item in meetings
        for each in item["state"].get("proceedings", {}).get("attendance", ())
        if each["fact"]["membership"] == key
    ]
    return sorted(rows, key=lambda row: str(row[0]["state"]["particulars"].get("starts_at")), reverse=True)


async def _now(request: Request, state: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the row of a membership on the roster, of today or of its last day; None where that does not show it."""
    began, ended = state["began"], (state.get("ended") or {}).get("ended_on")
    query = {"member": began["member"], "capacity": began["capacity"], "on": ended, "limit": 500}
    roster = await services(request).part(SERVICE, "/roster", **query)
    rows = [] if isinstance(roster, Missing) else roster["items"]
    return next((each for each in rows if each["membership"] == began["membership"]), None)


async def _beside(request: Request, path: str, **key: str | None) -> Any | Missing | None:
    """Return another record that a record names, what is missing of it, or None where it names none."""
    (name, value), *_ = key.items()
    return await services(request).part(SERVICE, filled(path, {name: value})) if value else None


async def _nothing() -> None:
    return None

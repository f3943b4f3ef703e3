"""Meetings: one with its agenda, documents, attendance and outcomes; the calendar of a month; an iCalendar file."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, date, datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from shared.events.values import latest_day
from tools.console import times
from tools.console.calendar import DAY, icalendar, times_of, weeks_of
from tools.console.kinds import filled
from tools.console.pages.records import record_content
from tools.console.pages.request import own_command, renderer, services
from tools.console.services import Missing, Problem

router = APIRouter()
SERVICE = "meetings"
ROSTER = 1_000
_MONTH = re.compile("[12][0-9]{3}-(?:0[1-9]|1[0-2])")


@router.get("/meetings/calendar")
async def month(request: Request) -> Response:
    """Show the meetings of a month as a calendar, and as a list beside it."""
    chosen = request.query_params.get("month", "")
    name = chosen if _MONTH.fullmatch(chosen) else times.today().strftime("%Y-%m")
    year, number = map(int, name.split("-"))
    page = await services(request).get(SERVICE, "/meetings", month=name, limit=500)
    return renderer(request).page(
        request, "calendar.html", month=name, weeks=weeks_of(year, number, page["items"]), number=number,
        meetings=page["items"], before=_beside(year, number, -1), after=_beside(year, number, 1),
        propose=own_command(request, "meeting", "propose"),
    )  # fmt: skip


@router.get("/meetings/{meeting}/calendar.ics")
async def calendar_file(request: Request) -> Response:
    """Return a meeting as an iCalendar file."""
    key = request.path_params["meeting"]
    record = await services(request).get(SERVICE, filled("/meetings/{meeting}", request.path_params))
    if not times_of(record["state"])[0]:
        raise Problem(SERVICE, 404, {"rule": "NotOnRecord", "detail": "no time of this meeting is on record"})
    address = f"{request.app.state.settings.address}{filled('/meetings/{meeting}', request.path_params)}"
    headers = {"Content-Disposition": f'attachment; filename="{key}.ics"'}
    content = icalendar(key, record["state"], address, datetime.now(UTC))
    return Response(content, media_type="text/calendar; charset=utf-8", headers=headers)


@router.get("/meetings/{meeting}")
async def meeting(request: Request) -> Response:
    """Show one meeting."""
    proceedings = filled("/proceedings/{meeting}", request.path_params)
    content, part = await asyncio.gather(
        record_content(request, "meeting"), services(request).part("recommendations", proceedings)
    )
    state = content["record"]["state"]
    names, clocks = await _names(request, state), _clocks(state.get("particulars", {}))
    return renderer(request).page(request, "meeting.html", part=part, clocks=clocks, names=names, **content)


async def _names(request: Request, state: dict[str, Any]) -> dict[str, str] | Missing:
    """Return the names of those who attended that the reader sees, by membership; the day's roster has them."""
    if not state.get("proceedings", {}).get("attendance"):
        return {}
    begins = state.get("held", {}).get("held_from") or state.get("particulars", {}).get("starts_at")
    on = latest_day(begins).isoformat() if begins else ""
    roster = await services(request).part("nominations", "/roster", on=on, limit=ROSTER)
    if isinstance(roster, Missing):
        return roster
    places = [place for item in roster["items"] for place in (*item.get("chain", ()), item)]
    return {place["membership"]: place["details"]["name"] for place in places if place.get("details", {}).get("name")}


def _clocks(particulars: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return a meeting's times on its own clock, in UTC and on the reader's clock; none where no time is known."""
    begins, ends = particulars.get("starts_at") or "", particulars.get("ends_at") or ""
    if len(begins) <= len(DAY):
        return []
    zones = dict.fromkeys([particulars.get("time_zone") or "UTC", "UTC", times.reader_zone()])
    return [(zone, times.when(begins, zone), times.when(ends, zone) if len(ends) > len(DAY) else "") for zone in zones]


def _beside(year: int, number: int, step: int) -> str:
    return date(year + (number + step - 1) // 12, (number + step - 1) % 12 + 1, 1).strftime("%Y-%m")

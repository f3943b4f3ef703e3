"""The group: who is a member of it on a day, by member, category and theme; and which Governments never nominated."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from tools.console.pages.addresses import other_pages
from tools.console.pages.records import PAGE
from tools.console.pages.request import person, renderer, services
from tools.console.services import Missing

router = APIRouter()
SERVICE = "nominations"
REGISTERED_ONLY = frozenset({"chair", "expert"})
"""The roles that see of other people's nominations those that are registered."""
FILTERS = ("member", "category", "theme", "capacity")


@router.get("/group")
async def group(request: Request) -> Response:
    """Show the roster on a day, filtered, with counts."""
    chosen = {name: request.query_params.get(name, "") for name in FILTERS}
    on, after = request.query_params.get("on", ""), request.query_params.get("after", "")
    roster = await services(request).get(SERVICE, "/roster", on=on, limit=PAGE, after=after, **chosen)
    return renderer(request).page(
        request, "group.html", roster=roster, chosen=chosen, on=on,
        **other_pages(request, roster),
    )  # fmt: skip


@router.get("/group/members")
async def members(request: Request) -> Response:
    """Show the members and associate members of ESCAP with what each nominated."""
    nominated, call = (request.query_params.get(name, "") for name in ("nominated", "call"))
    answer, calls = await services(request).parts(
        (SERVICE, "/members", {"nominated": nominated, "call": call}), (SERVICE, "/calls", {"limit": 200})
    )
    if isinstance(answer, Missing):  # the page is nothing without it: its fault is shown
        answer = await services(request).get(SERVICE, "/members", nominated=nominated, call=call)
    return renderer(request).page(
        request, "members.html", answer=answer, nominated=nominated, call=call, calls=_titles(calls),
        registered_only=person(request).role in REGISTERED_ONLY,
    )  # fmt: skip


def _titles(calls: Any) -> dict[str, str]:
    if isinstance(calls, Missing):
        return {}
    opened = {item["stream"].partition("/")[2]: item["state"].get("opened") for item in calls["items"]}
    return {key: each["title"] for key, each in opened.items() if each}

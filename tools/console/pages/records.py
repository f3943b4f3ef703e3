"""Lists and pages of records, one pair for each kind that the services' tables have."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from tools.client import api
from tools.console.kinds import Kind, filled, kinds, stream_path
from tools.console.offers import offered
from tools.console.pages.addresses import other_pages
from tools.console.pages.request import person, renderer, services, version_after
from tools.console.services import Missing

PAGE = 50
HISTORY_ROLES = frozenset({"secretariat", "auditor"})
Page = Callable[[Kind, Request], Awaitable[Response]]


async def listed(kind: Kind, request: Request) -> Response:
    """Show a list of records, filtered."""
    filters = {parameter.name: request.query_params.get(parameter.name, "") for parameter in kind.filters}
    after = request.query_params.get("after", "")
    page = await services(request).get(kind.service, kind.plural, limit=PAGE, after=after, **kind.of_all, **filters)
    role = person(request).role
    begin = [each for each in api.commands() if each.noun == kind.noun and each.is_new and role in each.roles]
    return renderer(request).page(
        request, "list.html", kind=kind, page=page, filters=filters, begin=begin,
        **other_pages(request, page),
    )  # fmt: skip


async def shown(kind: Kind, request: Request) -> Response:
    """Show one record: its state, gaps, what the person may do, and its history."""
    return renderer(request).page(request, "record.html", **await record_content(request, kind.noun))


async def record_content(request: Request, noun: str) -> dict[str, Any]:
    """Return what the page of any record shows: state, history, what the person may do. Raises Problem, ServiceDown."""
    kind, key = kinds()[noun], "/".join(request.path_params.values())
    stream, path = f"{kind.stream}/{key}", filled(kind.one, request.path_params)
    record, history = await asyncio.gather(
        services(request).get(kind.service, path, at_least=version_after(request, stream)),
        _history_of(request, kind, stream),
    )
    offers = actions(request, noun, record["state"].get("stage"))
    return {"kind": kind, "key": key, "stream": stream, "record": record, "history": history, "actions": offers}


async def _history_of(request: Request, kind: Kind, stream: str) -> list[dict[str, Any]] | Missing:
    """Return the events of a record for those who may read them, newest first, each with who recorded it."""
    if person(request).role not in HISTORY_ROLES:
        return []
    events = await services(request).part(kind.service, stream_path(stream))
    if isinstance(events, Missing):
        return events
    names = await names_of(request, {event["actor"] for event in events})
    return [{**event, "who": names.get(event["actor"])} for event in reversed(events)]


async def names_of(request: Request, actors: set[str]) -> dict[str, str]:
    """Return the names of those behind actors, from the staff list; whoever is not on it is left out."""
    listed = await services(request).part("nominations", "/staff", actor=sorted(actors))
    return {} if isinstance(listed, Missing) else {each["actor"]: each["name"] for each in listed["items"]}


def actions(request: Request, noun: str, stage: str | None, first: str | None = None) -> list[api.Command]:
    """Return what the person may do with a record at its stage: `first`, then the others, corrections last."""
    role = person(request).role
    own = [each for each in api.commands() if each.noun == noun and role in each.roles and not each.is_new]
    own.sort(key=lambda each: each.word in ("correct", "void"))
    return offered(own, noun, stage, first)


def _endpoint(page: Page, kind: Kind) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await page(kind, request)

    return endpoint


router = APIRouter()
for each in kinds().values():
    router.add_api_route(each.plural, _endpoint(listed, each), methods=["GET"])
    router.add_api_route(each.one, _endpoint(shown, each), methods=["GET"])

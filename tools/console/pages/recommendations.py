"""The list of recommendations with what is next in each, and the page of one: texts, citations, what can be done."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from tools.client import api
from tools.console import next_steps
from tools.console.differences import versions_of
from tools.console.kinds import filled
from tools.console.pages.addresses import other_pages
from tools.console.pages.records import PAGE, actions, record_content
from tools.console.pages.request import own_command, renderer, services, version_after

router = APIRouter()
SERVICE = "recommendations"
_TRACE = "/traces/{committee}/{year}/{number}"
_FILTERS = ("text", "stage", "standing", "coverage", "disposition", "theme")


@router.get("/recommendations")
async def recommendations(request: Request) -> Response:
    """Show the recommendations, filtered, each with what is next."""
    filters = {name: request.query_params.get(name, "") for name in _FILTERS}
    after = request.query_params.get("after", "")
    page = await services(request).get(SERVICE, "/traces", view="row", limit=PAGE, after=after, **filters)
    described = {each.name: each for query in _lists() for each in query.filters}
    return renderer(request).page(
        request, "recommendations.html", page=page, filters=filters, parameters=[described[each] for each in _FILTERS],
        next_of=next_steps.of_row, begin=own_command(request, "recommendation", "draft"),
        **other_pages(request, page),
    )  # fmt: skip


@router.get("/recommendations/{committee}/{year}/{number}")
async def recommendation(request: Request) -> Response:
    """Show one recommendation: its texts, citations, and what can be done now."""
    stream = f"recommendation/{'/'.join(request.path_params.values())}"
    content, answer = await asyncio.gather(
        record_content(request, "recommendation"),
        services(request).part(SERVICE, filled(_TRACE, request.path_params), at_least=version_after(request, stream)),
    )
    trace = answer["trace"] if isinstance(answer, dict) else None
    state, following = content["record"]["state"], next_steps.of_trace(trace) if trace else None
    offers = actions(request, "recommendation", state["stage"], following.word if following else None)
    return renderer(request).page(
        request, "recommendation.html", trace=trace, trace_part=answer, following=following,
        texts=versions_of(state), is_writing=any(each.word == "cite" for each in offers),
        **content | {"actions": offers},
    )  # fmt: skip


def _lists() -> list[api.Query]:
    return [each for each in api.queries() if each.noun == "trace" and each.word == "list"]

"""Search in all services, the best matches first, by kind of record."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from tools.client import api
from tools.console.kinds import address_of, kinds
from tools.console.navigation import local_address
from tools.console.pages.addresses import other_pages
from tools.console.pages.request import person, renderer, services
from tools.console.services import Missing, Problem, ServiceDown

router = APIRouter()
PAGE = 50
SHORT_QUERY = 422
Piece = tuple[str, bool]
"""A part of a text, and whether it is a match."""


class Hit(NamedTuple):
    """A match: its address, names, title and extract in pieces."""

    kind: str
    key: str
    address: str
    names: Sequence[str]
    title: Sequence[Piece]
    extract: Sequence[Piece]
    stage: str
    rank: int


@router.get("/search")
async def search(request: Request) -> Response:
    """Show what matches, in all services or of one kind, grouped by kind."""
    query, kind, after = (request.query_params.get(name, "").strip() for name in ("q", "kind", "after"))
    searched = [each.service for each in _queries() if person(request).role in each.roles] if query else []
    answers = await asyncio.gather(*(_answer(request, each, q=query, kind=kind, after=after) for each in searched))
    pages = [answer for answer in answers if isinstance(answer, dict)]
    following = [page["next"] for page in pages if "next" in page]
    return renderer(request).page(
        request, "search.html", query=query, kind=kind, words=_kinds(), groups=grouped(pages),
        missing=[each for each in answers if isinstance(each, Missing)],
        fault=next((each for each in answers if isinstance(each, Problem)), None),
        more=bool(following), only=lambda each: _of_kind(request, each),
        **other_pages(request, {"next": following[0]} if following and kind else {}),
    )  # fmt: skip


async def _answer(request: Request, service: str, **query: str) -> Any | Missing | Problem:
    """Return what a service found, what is missing, or the fault of what was typed."""
    try:
        return await services(request).get(service, "/search", limit=PAGE, **query)
    except ServiceDown:
        return Missing(service)
    except Problem as problem:
        return problem if problem.status == SHORT_QUERY else Missing(service, refused=problem.status == 403)


def grouped(pages: Sequence[Mapping[str, Any]]) -> dict[str, list[Hit]]:
    """Merge the pages of services by rank, and group them by kind, the kind with the best match first."""
    hits = sorted((_hit(item) for page in pages for item in page["items"]), key=lambda each: each.rank)
    groups: dict[str, list[Hit]] = {}
    for hit in hits:
        groups.setdefault(hit.kind, []).append(hit)
    return groups


def pieces(text: str, marks: Sequence[Sequence[int]]) -> Iterator[Piece]:
    """Yield a text in pieces, each with whether it is marked: the page escapes them one by one."""
    done = 0
    for start, end in marks:
        yield text[done:start], False
        yield text[start:end], True
        done = end
    yield text[done:], False


def _hit(item: Mapping[str, Any]) -> Hit:
    key = item.get("key", item["stream"].partition("/")[2])
    title = list(pieces(item["title"], item["marks"]["title"]))
    extract = list(pieces(item["extract"], item["marks"]["extract"]))
    address = address_of(item["stream"]) or "/"
    return Hit(item["kind"], key, address, item["names"], title, extract, item["stage"], item["rank"])


def _queries() -> list[api.Query]:
    return [query for query in api.queries() if query.path == "/search"]


def _kinds() -> dict[str, str]:
    """Return the kinds that may be searched for, each with the plural of its name."""
    known = next(each.words for each in _queries()[0].filters if each.name == "kind")
    plurals = {each.stream: each.plural.strip("/").replace("-", "_") for each in kinds().values()}
    return {kind: plurals.get(kind, f"{kind}s") for kind in known}


def _of_kind(request: Request, kind: str) -> str:
    return local_address(request.url.include_query_params(kind=kind).remove_query_params("after"))

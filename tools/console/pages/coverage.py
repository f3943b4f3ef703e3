"""Coverage: which provisions are cited, and how far the thread of each recommendation reaches."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator, Mapping
from io import StringIO
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse
from starlette.requests import Request

from tools.console.languages import _
from tools.console.pages.addresses import other_pages
from tools.console.pages.request import renderer, services

router = APIRouter()
SERVICE, PATH = "recommendations", "/coverage"
PAGE = {"provision": 20, "recommendation": 100}
"""By provision, so many instruments; by recommendation, so many recommendations."""
CITED = ("yes", "no")
ROWS_OF_A_FILE = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@router.get(PATH)
async def coverage(request: Request) -> Response:
    """Show the counts, and a page of provisions or of recommendations."""
    by, cited, after = _by(request), _cited(request), request.query_params.get("after", "")
    counts, page = await asyncio.gather(
        services(request).part(SERVICE, f"{PATH}/counts"),
        services(request).get(SERVICE, PATH, by=by, cited=cited, limit=PAGE[by], after=after),
    )
    return renderer(request).page(
        request, "coverage.html", by=by, cited=cited, counts=counts, rows=page["items"],
        **other_pages(request, page),
    )  # fmt: skip


@router.get(f"{PATH}.csv")
async def as_csv(request: Request) -> Response:
    """Send all of it as CSV, for a spreadsheet, page by page."""
    by, cited = _by(request), _cited(request)
    headers = {"Content-Disposition": f'attachment; filename="coverage-by-{by}.csv"'}
    first = await services(request).get(SERVICE, PATH, by=by, cited=cited, limit=ROWS_OF_A_FILE)
    return StreamingResponse(
        _lines(request, by, csv_row(_headings(by)), first), media_type="text/csv; charset=utf-8", headers=headers
    )


async def _lines(request: Request, by: str, headings: bytes, page: Mapping[str, Any]) -> AsyncIterator[bytes]:
    yield b"\xef\xbb\xbf" + headings
    while True:
        for item in page["items"]:
            yield csv_row(_row(by, item))
        if "next" not in page:
            return
        page = await services(request).get(
            SERVICE, PATH, by=by, cited=_cited(request), limit=ROWS_OF_A_FILE, after=page["next"]
        )


def csv_row(cells: list[str]) -> bytes:
    """Return a row of CSV in which no text is a formula."""
    out = StringIO()
    csv.writer(out).writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return out.getvalue().encode()


def _by(request: Request) -> str:
    by = request.query_params.get("by", "provision")
    return by if by in PAGE else "provision"


def _cited(request: Request) -> str:
    """Return the filter of provisions: those cited (yes), or not (no); blank for all, and for recommendations."""
    cited = request.query_params.get("cited", "")
    return cited if cited in CITED and _by(request) == "provision" else ""


def _headings(by: str) -> list[str]:
    if by == "recommendation":
        return [_("Recommendation"), _("Coverage")]
    return [
        _("Instrument"), _("Citation"), _("Standing"), _("Provision"), _("Summary"), _("Recommendations"),
        _("Initiatives"),
    ]  # fmt: skip


def _row(by: str, item: Mapping[str, Any]) -> list[str]:
    if by == "recommendation":
        return [item["reference"], item["coverage"]]
    cited = [f"{each['reference']} ({each['standing']})" for each in item["recommendations"]]
    return [
        item["instrument"], item["cite"], item["instrument_standing"], item["provision"], item["summary"],
        ", ".join(cited), ", ".join(item["initiatives"]),
    ]  # fmt: skip

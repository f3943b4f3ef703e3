"""The page of a trace, of any time: where it stands, its chain, every statement with its events, and its documents."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from shared.events.canonical import canonical_unchecked
from tools.client.printable import printable_json
from tools.console import times
from tools.console.kinds import filled
from tools.console.labels import label
from tools.console.languages import _
from tools.console.pages.records import HISTORY_ROLES, actions, names_of
from tools.console.pages.request import command_line, one_download, person, renderer, services, version_after
from tools.console.pdf import write
from tools.console.services import Missing, Problem
from tools.console.times import zone_of
from tools.console.trace import steps as of_steps
from tools.console.trace import view
from tools.console.trace.document import document_of
from tools.console.trace.provenance import events_of, in_time
from tools.console.trace.view import TraceView
from tools.console.trace.window import Window, window_of

router = APIRouter()
_TRACE = "/traces/{committee}/{year}/{number}"
SERVICE = "recommendations"


@router.get("/traces")
async def all_traces() -> Response:
    """Lead to the list of recommendations, each of which has a trace."""
    return RedirectResponse("/recommendations", 303)


@router.get(_TRACE)
async def trace(request: Request) -> Response:
    """Show a trace."""
    window = _window(request)
    if request.query_params.multi_items() != _query(request, window):
        return RedirectResponse(_address(request, window), 303)
    try:
        shown = await _view(request, window)
    except Problem as problem:
        return await _refused(request, window, problem)
    return renderer(request).page(request, "trace.html", **content_of(request, shown))


def content_of(request: Request, shown: TraceView) -> dict[str, Any]:
    """Return what the page of a trace is rendered from."""
    window, offers = shown.window, actions(request, "recommendation", shown.own["standing"], shown.next.word)
    return {
        "it": shown, "view": view, "timeline": in_time(shown.events), "keep": window.keep, "actions": offers,
        "is_future": window.is_future(times.today()), "is_print": "print" in request.query_params,
        "own": request.app.state.settings.address, "stream_of": of_steps.stream_of, "documents": _documents(),
        "is_auditor": person(request).role in HISTORY_ROLES,
    } | _of_form(request, window)  # fmt: skip


@router.get(f"{_TRACE}/trace.json")
async def as_json(request: Request) -> Response:
    """Return the trace's own bytes, as they are compared."""
    shown = await _view(request, _window(request), with_events=False)
    return _download(request, canonical_unchecked(shown.trace), "application/json", "json")


@router.get(f"{_TRACE}/steps.csv")
async def as_csv(request: Request) -> Response:
    """Return the steps of the chain for a spreadsheet."""
    shown = await _view(request, _window(request), with_events=False)
    words = ("part", "step", "date", "standing", "certainty", "record")
    table = of_steps.as_csv(shown.steps, view.columns(), [label(word) for word in words])
    return _download(request, table, "text/csv; charset=utf-8", "csv")


@router.get(f"{_TRACE}/trace.pdf")
async def as_pdf(request: Request) -> Response:
    """Return the trace as an accessible document."""
    with one_download(request):
        shown = await _view(request, _window(request), with_events=False)
        document = document_of(shown, request.app.state.settings.address, datetime.now(UTC))
        async with request.app.state.one_document:
            pdf = b"" if await request.is_disconnected() else await asyncio.to_thread(write, document)
    return _download(request, pdf, "application/pdf", "pdf")


@router.get(f"{_TRACE}/proof")
async def proof(request: Request) -> Response:
    """Show each event behind a trace with its place in its log, and how to prove it."""
    window = _window(request)
    try:
        shown = await _view(request, window)
    except Problem as problem:
        return await _refused(request, window, problem)
    raw: dict[tuple[str, int], Any] = {}
    if person(request).role in HISTORY_ROLES:
        answer = await services(request).part(SERVICE, f"{_path(request)}/events")
        events = [] if isinstance(answer, Missing) else [each["event"] for each in answer["events"]]
        raw = {(event["subject"], event["streamversion"]): event for event in events}
    return renderer(request).page(
        request,
        "trace_proof.html",
        it=shown,
        keep=window.keep,
        raw=raw,
        indented=_indented,
        is_auditor=person(request).role in HISTORY_ROLES,
    )


@router.get(f"{_TRACE}/proof.json")
async def proof_file(request: Request) -> Response:
    """Return the proof of a trace as it is now, to be checked alone."""
    await services(request).get(SERVICE, f"{_path(request)}/events")
    with command_line(request).folder() as folder:
        reference, file = _path(request).removeprefix("/traces/"), "trace.proof.json"
        await command_line(request).run(request, folder, "audit", "prove", reference, "--out", file)
        return _download(request, (folder / file).read_bytes(), "application/json", "proof.json")


async def _view(request: Request, window: Window, *, with_events: bool = True) -> TraceView:
    """Return a trace with the events behind it. Raises Problem."""
    path, known = _path(request), services(request)
    own = path.replace("/traces/", "recommendation/", 1)
    wait = {} if window.query else {"at_least": version_after(request, own)}
    answer, provenance = await asyncio.gather(
        known.get(SERVICE, path, **window.query, **wait),
        known.part(SERVICE, f"{path}/provenance", **window.query) if with_events else _nothing(),
    )
    places = [] if isinstance(provenance, Missing) else provenance["events"]
    actors = {each["actor"] for each in places if each.get("actor")}
    names = await names_of(request, actors) if actors else {}
    return TraceView(answer["trace"], answer["today"], window, events_of(places, names))


async def _nothing() -> dict[str, Any]:
    return {"events": []}


async def _refused(request: Request, window: Window, problem: Problem) -> Response:
    """Show why there is no trace: of a time before it was recorded, one with a fault, or none at all."""
    reference = _path(request).removeprefix("/traces/")
    now = None
    if window.query and problem.status in (404, 409, 422):
        answer = await services(request).part(SERVICE, _path(request))
        now = None if isinstance(answer, Missing) else answer["trace"]
    kind = {404: "unknown", 422: "unreadable", 409: "fault"}.get(problem.status, "refused")
    if kind == "unreadable" and not window.query:
        kind = "unknown"
    if now is not None and kind == "unknown":
        kind = "earlier"
    return renderer(request).page(
        request, "trace_refused.html", problem.status, reference=reference, problem=problem, kind=kind, now=now,
        faults={fault.field.removeprefix("query."): fault.message for fault in problem.faults},
        **_of_form(request, window),
    )  # fmt: skip


def _documents() -> list[tuple[str, str]]:
    return [
        ("trace.json", _("The trace as JSON, byte for byte as it is compared")),
        ("steps.csv", _("The steps as CSV, for a spreadsheet")),
        ("trace.pdf", _("The trace as PDF, with the drawing and every statement")),
    ]


def _of_form(request: Request, window: Window) -> dict[str, Any]:
    return {"action": _path(request), "window": window, "known_local": window.local(zone_of(request))}


def _indented(content: Any) -> str:
    return printable_json(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())


def _download(request: Request, content: bytes, media: str, ending: str) -> Response:
    name = "-".join(str(each) for each in request.path_params.values())
    safe = "".join(each for each in name if each.isalnum() or each == "-")
    headers = {"Content-Disposition": f'attachment; filename="{safe}.{ending}"'}
    return Response(content, media_type=media, headers=headers)


def _path(request: Request) -> str:
    return filled(_TRACE, request.path_params)


def _window(request: Request) -> Window:
    return window_of(request.query_params, zone_of(request))


def _query(request: Request, window: Window) -> list[tuple[str, str]]:
    """Return the query that the page of a window has, in its order."""
    printed = [("print", request.query_params["print"])] if "print" in request.query_params else []
    return [*window.query.items(), *printed]


def _address(request: Request, window: Window) -> str:
    query = urlencode(_query(request, window))
    return _path(request) + (f"?{query}" if query else "")

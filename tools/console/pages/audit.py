"""Audit: the signed logs and who vouches for them; what was set aside, was refused, or stands still."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from shared.events.services import SERVICES
from tools.client import api
from tools.console.kinds import filled
from tools.console.languages import _
from tools.console.pages.records import HISTORY_ROLES, names_of
from tools.console.pages.request import person, renderer, services
from tools.console.security import is_own
from tools.console.services import Missing, Problem, ServiceDown
from tools.console.verification import latest

router = APIRouter()
SHOWN = 50
_DEAD_LETTER = "/dead-letters/{topic}/{partition}/{offset}"
_PARTS = {
    "log": "/log", "keys": "/log/keys", "checkpoint": "/log/checkpoint", "stalled": "/stalled/reasons",
    "ahead": "/ahead", "dead_letters": "/dead-letters", "refusals": "/refusals", "unsigned": "/journal/unsigned",
}  # fmt: skip
_TEXTS = ("keys", "checkpoint")
_LISTS = ("refusals", "unsigned")


@router.get("/audit")
async def audit(request: Request) -> Response:
    """Show each service's log, and what stands still, was set aside or refused."""
    by_service = dict(zip(SERVICES, await asyncio.gather(*(_parts(request, each) for each in SERVICES)), strict=True))
    refusals = [
        {"service": service, **each}
        for service, parts in by_service.items()
        if not isinstance(parts["refusals"], Missing)
        for each in parts["refusals"]
    ]
    recent = sorted(refusals, key=lambda each: str(each["at"]), reverse=True)[:SHOWN]
    names = await names_of(request, {each["actor"] for each in recent}) if recent else {}
    settings, may_export = request.app.state.settings, person(request).role in HISTORY_ROLES
    return renderer(request).page(
        request, "audit.html", by_service=by_service, refusals=recent, names=names, published=_published(by_service),
        no_refusals=_missing(by_service, "refusals"), no_clocks=_missing(by_service, "ahead", "unsigned"),
        of_policies=_is_of_policies(request), limit=settings.export_events, paged=_paged(request),
        last=latest(settings.verification_file) if may_export else None, may_export=may_export,
    )  # fmt: skip


@router.get("/audit/dead-letters/{service}/{topic}/{partition}/{offset}")
async def show_dead_letter(request: Request) -> Response:
    """Show one dead letter, with what can be done with it."""
    return await _page_of(request)


@router.post("/audit/dead-letters/{service}/{topic}/{partition}/{offset}")
async def resolve(request: Request) -> Response:
    """Replay a dead letter, or dismiss it, with a reason."""
    form = await request.form()
    word, reason = str(form.get("word", "")), str(form.get("reason", "")).strip()
    if not is_own(request, form.get("csrf")):
        return await _page_of(request, 403, reason, _("This page was opened in an earlier session. Send it again."))
    if word not in ("replay", "dismiss"):
        return await _page_of(request, 422, reason, _("Choose what to do with it."))
    try:
        parts = request.path_params
        path = f"{filled(_DEAD_LETTER, _place(parts))}/{word}"
        await services(request).send(_service(parts), "POST", path, json={"reason": reason} if reason else {})
    except ServiceDown as down:
        fault = _("The service %(service)s does not answer: look at the dead letter again.", service=down.service)
        return await _page_of(request, 503, reason, fault)
    except Problem as problem:
        return await _page_of(request, problem.status, reason, f"{problem.title}: {problem.detail}")
    request.session["done"] = {"word": word, "noun": "dead-letter", "stream": "", "version": 0, "replayed": False}
    return RedirectResponse("/audit#dead-letters", 303)


async def _page_of(request: Request, status: int = 200, reason: str = "", fault: str = "") -> Response:
    parts = request.path_params
    dead_letter = await services(request).get(_service(parts), filled(_DEAD_LETTER, _place(parts)))
    role = person(request).role
    allowed = {each.word for each in api.operations() if each.noun == "dead-letter" and role in each.roles}
    return renderer(request).page(
        request,
        "dead_letter.html",
        status,
        dead_letter=dead_letter,
        place=parts,
        reason=reason,
        fault=fault,
        allowed=allowed,
    )


def _missing(by_service: dict[str, dict[str, Any | Missing]], *names: str) -> list[Missing]:
    """Return what is missing of some parts: once for each service that is away, once where the role sees none."""
    parts = [parts[name] for parts in by_service.values() for name in names]
    return list({part.refused or part.service: part for part in parts if isinstance(part, Missing)}.values())


def _is_of_policies(request: Request) -> bool:
    """Tell whether the refusals of policies are asked for alone."""
    return request.query_params.get("role") == "system"


def _published(by_service: dict[str, dict[str, Any | Missing]]) -> int | None:
    """Return the size of the whole record in events; None where a service does not say its own."""
    logs = [parts["log"] for parts in by_service.values() if not isinstance(parts["log"], Missing)]
    return sum(each["published"] for each in logs) if len(logs) == len(by_service) else None


async def _parts(request: Request, service: str) -> dict[str, Any | Missing]:
    parts = await asyncio.gather(*(_part(request, service, name, path) for name, path in _PARTS.items()))
    return dict(zip(_PARTS, parts, strict=True))


async def _part(request: Request, service: str, name: str, path: str) -> Any | Missing:
    if name == "dead_letters":
        after = request.query_params.get("after") if service == _paged(request) else None
        return await services(request).part(service, path, after=after)
    if name not in _TEXTS:
        role = "system" if name == "refusals" and _is_of_policies(request) else None
        return await services(request).part(service, path, role=role, limit=SHOWN if name in _LISTS else None)
    try:
        return (await services(request).send(service, "GET", path)).text.strip()
    except ServiceDown:
        return Missing(service)
    except Problem as problem:
        return Missing(service, refused=problem.status in (403, 404))


def _paged(request: Request) -> str | None:
    """Return the service of whose dead letters a later page is shown."""
    return request.query_params.get("service") if request.query_params.get("after") else None


def _service(parts: dict[str, str]) -> str:
    """Return the service that an address names. Raises Problem (404)."""
    if parts["service"] not in SERVICES:
        raise Problem(parts["service"], 404, {"rule": "NotOnRecord", "detail": "no service has this name"})
    return parts["service"]


def _place(parts: dict[str, str]) -> dict[str, str]:
    return {name: parts[name] for name in ("topic", "partition", "offset")}

"""Suspect citations, by the supersession to answer: many reconfirmed in one go, each by its own command."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from tools.client import api
from tools.console.kinds import filled
from tools.console.languages import _
from tools.console.pages.addresses import other_pages
from tools.console.pages.request import person, renderer, services
from tools.console.security import is_own
from tools.console.services import Problem, Recorded, ServiceDown, Services, is_command_id

router = APIRouter()
SERVICE, ADDRESS = "recommendations", "/suspect-citations"
PAGE, CONCURRENT = 50, 4
RECONFIRM = api.command("recommendation", "reconfirm")
_PARTS = ("committee", "year", "number")


@dataclass(frozen=True)
class Citation:
    """A citation to reconfirm: of a recommendation, a provision of an instrument, against a later one."""

    reference: str
    instrument: str
    provision: str
    superseded_by: str

    @property
    def text(self) -> str:
        """The citation as a checkbox sends it: none of its parts has a space."""
        return f"{self.reference} {self.instrument} {self.provision} {self.superseded_by}"

    def command_id(self, send: str) -> str:
        """Return the id of its command of one send of the form: the same, when the form is sent again."""
        return str(uuid5(NAMESPACE_URL, f"throughline:{send}:{self.text}"))


@dataclass(frozen=True)
class Outcome:
    """The outcome of one command: recorded, recorded before, refused and why, or not known."""

    citation: Citation
    standing: str
    why: str = ""


@router.get(ADDRESS)
async def suspects(request: Request) -> Response:
    """Show the suspect citations by supersession."""
    return await _page(request, uuid4().hex)


@router.post(ADDRESS)
async def reconfirm(request: Request) -> Response:
    """Reconfirm the chosen citations, and show which were recorded and which refused."""
    form = await request.form(max_fields=2_000)
    texts = [each for each in form.getlist("citation") if isinstance(each, str)]
    send = str(form.get("command_id", ""))
    if not is_own(request, form.get("csrf")):
        fault = _("This page was opened in an earlier session. Check it, and send it again.")
        return await _page(request, uuid4().hex, 403, chosen=texts, fault=fault)
    cited = [each for each in map(citation_of, dict.fromkeys(texts)) if each is not None]
    if not cited or not is_command_id(send):
        return await _page(request, uuid4().hex, 422, fault=_("Choose the citations to reconfirm."))
    outcomes = await reconfirmed(services(request), cited, send)
    left = [each.citation.text for each in outcomes if each.standing in ("refused", "unknown")]
    again = send if any(each.standing == "unknown" for each in outcomes) else uuid4().hex
    return await _page(request, again, chosen=left, outcomes=outcomes)


async def reconfirmed(known: Services, cited: Sequence[Citation], send: str) -> list[Outcome]:
    """Send the command of each citation under its own id, those of one recommendation one after another."""
    by_reference: dict[str, list[Citation]] = {}
    for each in cited:
        by_reference.setdefault(each.reference, []).append(each)
    lanes = asyncio.Semaphore(CONCURRENT)

    async def of_one(citations: Sequence[Citation]) -> list[Outcome]:
        async with lanes:
            return [await _reconfirmed(known, each, each.command_id(send)) for each in citations]

    groups = await asyncio.gather(*map(of_one, by_reference.values()))
    return [outcome for group in groups for outcome in group]


async def _reconfirmed(known: Services, cited: Citation, command_id: str) -> Outcome:
    path = filled(RECONFIRM.path, dict(zip(_PARTS, cited.reference.split("/"), strict=True)))
    body = {"instrument": cited.instrument, "provision": cited.provision, "superseded_by": cited.superseded_by}
    try:
        recorded: Recorded = await known.command(SERVICE, path, body, command_id)
    except ServiceDown:
        return Outcome(cited, "unknown", _("The service does not answer. Send it again: it is recorded once."))
    except Problem as problem:
        faults = "; ".join(f"{each.field}: {each.message}" for each in problem.faults)
        return Outcome(cited, "refused", f"{problem.title}: {problem.detail} {faults}".strip())
    return Outcome(cited, "recorded_before" if recorded.replayed else "recorded")


def citation_of(text: str) -> Citation | None:
    """Return the citation that a checkbox sent, or None where it is not one."""
    parts = text.split(" ")
    return Citation(*parts) if len(parts) == 4 and all(parts) and parts[0].count("/") == 2 else None


async def _page(
    request: Request,
    command_id: str,
    status: int = 200,
    *,
    chosen: Sequence[str] = (),
    outcomes: Sequence[Outcome] = (),
    fault: str = "",
) -> Response:
    after = request.query_params.get("after", "")
    page: dict[str, Any] = await services(request).get(SERVICE, ADDRESS, limit=PAGE, after=after)
    recorded = {each.citation.text for each in outcomes if each.standing in ("recorded", "recorded_before")}
    return renderer(request).page(
        request, "suspects.html", status, page=page, command_id=command_id, chosen=chosen, outcomes=outcomes,
        fault=fault, recorded=recorded, may=person(request).role in RECONFIRM.roles, citation=Citation,
        **other_pages(request, page),
    )  # fmt: skip

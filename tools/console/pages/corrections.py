"""Putting the record right: an entry is corrected by a form, or voided, once a person has seen what will change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from tools.client import api
from tools.console.forms.corrections import (
    Change,
    Entry,
    changes_of,
    corrected,
    entries_of,
    fields_of_event,
    fixed_of,
    typed_of,
)
from tools.console.forms.fields import Field, fields_of
from tools.console.forms.values import body_of
from tools.console.kinds import address_of, kinds
from tools.console.languages import _
from tools.console.pages.commands import Page, Sheet, typed_in
from tools.console.pages.request import renderer, services
from tools.console.security import is_own
from tools.console.services import FieldFault, Missing, Problem, ServiceDown

_OWN = frozenset({"corrects", "voids", "data"})


@dataclass
class Righting(Sheet):
    """The form of a correction or void: its entry, what it changes, and what rests on the record."""

    entry: Entry | None = None
    entries: Sequence[Entry] = ()
    data_fields: tuple[Field, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    changes: Sequence[Change] = ()
    effects: Sequence[Entry] = ()
    resting: Any = None


class RightingPage(Page):
    """The pages of a command that corrects or voids: choose an entry, fill the form in, see the effect, record."""

    async def show(self, request: Request) -> Response:
        """Show the entries to choose from, or the form of the one that the address names."""
        if (refused := self.not_theirs(request)) is not None:
            return refused
        sheet = await self._righting(request, request.query_params.get("version", ""))
        if sheet.entry is not None and self._command.word == "correct":
            sheet.typed = typed_of(sheet.entry)
        return self._shown(request, sheet, "edit" if sheet.entry else "choose")

    async def send(self, request: Request) -> Response:
        """Show the effect of what was typed, or record it; show the form again where it is refused."""
        form = await request.form(max_part_size=200_000)
        sheet = await self._righting(request, str(form.get("entry", "")))
        sheet.version = str(form.get("version") or sheet.version)
        sheet.command_id = str(form.get("command_id") or sheet.command_id)
        sheet.typed = typed_in(form)
        step = str(form.get("step", ""))
        if not is_own(request, form.get("csrf")):
            sheet.uncertain = _("This page was opened in an earlier session. Check it, and send it again.")
            return self._shown(request, sheet, "edit", 403)
        if sheet.entry is None:
            return self._shown(request, sheet, "choose", 422)
        if step == "edit":
            return self._shown(request, sheet, "edit")
        body = self._body(sheet, sheet.entry)
        try:
            return await (
                self._record(request, sheet, body) if step == "record" else self._preview(request, sheet, body)
            )
        except ServiceDown as down:
            sheet.uncertain = _(
                "The service %(service)s does not answer. It is not known whether this was recorded. "
                "Send it again: it is recorded once.",
                service=down.service,
            )
            return self._shown(request, sheet, "edit", 503)
        except Problem as problem:
            return await self._refused_entry(request, sheet, problem)

    def _body(self, sheet: Righting, entry: Entry) -> dict[str, Any]:
        body = body_of(sheet.fields, sheet.typed)
        if self._command.word == "void":
            return body | {"voids": entry.version}
        data = corrected(entry, sheet.typed)
        sheet.changes = changes_of(entry.data, data)
        return body | {"corrects": entry.version, "data": data}

    async def _record(self, request: Request, sheet: Righting, body: Mapping[str, Any]) -> Response:
        recorded = await services(request).command(
            self._command.service, self._path(request), body, sheet.command_id, sheet.seen
        )
        request.session["done"] = {
            "word": self._command.word, "noun": self._command.noun, "stream": recorded.stream,
            "version": recorded.version, "replayed": recorded.replayed,
        }  # fmt: skip
        return RedirectResponse(address_of(recorded.stream) or "/", 303)

    async def _preview(self, request: Request, sheet: Righting, body: Mapping[str, Any]) -> Response:
        """Show what would change, decided by the service without recording it."""
        if self._command.word == "correct" and not sheet.changes:
            sheet.uncertain = _("Nothing differs from what is on record: change a field, or go back.")
            return self._shown(request, sheet, "edit", 422)
        validated = await services(request).validated(
            self._command.service, self._path(request), body, sheet.seen
        )
        named = {each.version: each for each in sheet.entries}
        voided = [each["data"].get("voids") for each in validated]
        sheet.effects = [named[version] for version in voided if version in named]
        sheet.resting = await services(request).part("recommendations", "/dependants", stream=sheet.stream)
        return self._shown(request, sheet, "preview")

    async def _refused_entry(self, request: Request, sheet: Righting, problem: Problem) -> Response:
        sheet.problem = problem
        sheet.faults = [FieldFault(fault.field.removeprefix("body."), fault.message) for fault in problem.faults]
        if problem.status == 412:
            seen = int(sheet.version) if sheet.version.isdecimal() else 0
            history = await services(request).part(self._command.service, f"/streams/{sheet.stream}")
            known = [] if isinstance(history, Missing) else history
            sheet.changed = [event for event in known if event["streamversion"] > seen]
            sheet.version = str(known[-1]["streamversion"]) if known else ""
        if problem.status in (409, 412, 422):
            sheet.command_id = uuid4().hex
        return self._shown(request, sheet, "edit", problem.status)

    def _shown(self, request: Request, sheet: Righting, step: str, status: int = 200) -> Response:
        own = {each.own for each in sheet.fields} | {each.name.partition(".")[0] for each in sheet.data_fields}
        general = [fault for fault in sheet.faults if fault.field.partition(".")[0] not in own]
        return renderer(request).page(
            request, "righting.html", status, sheet=sheet, command=self._command, step=step, general=general,
            back=address_of(sheet.stream or ""), key="/".join(request.path_params.values()),
            action=request.url.path,
        )  # fmt: skip

    async def _righting(self, request: Request, version: str) -> Righting:
        """Return the form of an entry; its history is read for it. Raises Problem, ServiceDown."""
        stream = self._sheet(request, "").stream or ""
        entries = entries_of(await services(request).get(self._command.service, f"/streams/{stream}"))
        able = [each for each in entries if self._is_able(each)]
        entry = next((each for each in able if str(each.version) == version), None)
        last = str(entries[-1].version) if entries else ""
        fields = tuple(each for each in fields_of(self._command.fields) if each.own not in _OWN)
        correcting = entry is not None and self._command.word == "correct"
        return Righting(
            self._command, fields, {}, uuid4().hex, last, stream, entry=entry, entries=entries,
            data_fields=fields_of_event(entry.type) if entry and correcting else (),
            fixed=fixed_of(entry) if entry and correcting else {},
        )  # fmt: skip

    def _is_able(self, entry: Entry) -> bool:
        return entry.can_be_corrected if self._command.word == "correct" else entry.can_be_voided


def _router() -> APIRouter:
    router = APIRouter()
    for command in api.commands():
        if command.word in ("correct", "void") and command.noun in kinds():
            page = RightingPage(command)
            router.add_api_route(page.address, page.show, methods=["GET"], name=command.name)
            router.add_api_route(page.address, page.send, methods=["POST"])
    return router


router = _router()

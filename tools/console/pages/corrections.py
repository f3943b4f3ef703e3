"""Putting the record right: an entry is corrected by a form, or voided, once a person has seen what will change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from fastapi.responses import Response
from starlette.datastructures import FormData
from starlette.requests import Request

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
from tools.console.forms.sheet import Sheet
from tools.console.forms.values import body_of
from tools.console.kinds import stream_path
from tools.console.languages import _
from tools.console.pages.commands import Page
from tools.console.pages.request import services

_OWN = frozenset({"corrects", "voids", "data"})


@dataclass
class Righting(Sheet):
    """The form of a correction or void: its entry, what it changes, and what rests on the record."""

    step: str = "choose"
    entry: Entry | None = None
    entries: Sequence[Entry] = ()
    data_fields: tuple[Field, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    changes: Sequence[Change] = ()
    effects: Sequence[Entry] = ()
    resting: Any = None

    @property
    def inputs(self) -> tuple[Field, ...]:
        """All fields of the form, those of the entry included."""
        return (*self.fields, *self.data_fields)


class RightingPage(Page):
    """The pages of a command that corrects or voids: choose an entry, fill the form in, see the effect, record."""

    template = "righting.html"

    async def show(self, request: Request) -> Response:
        """Show the entries to choose from, or the form of the one that the address names."""
        if (refused := self.not_theirs(request)) is not None:
            return refused
        sheet = await self._righting(request, request.query_params.get("version", ""))
        if sheet.entry is not None and self._command.word == "correct":
            sheet.typed = typed_of(sheet.entry)
        return await self.page(request, sheet)

    async def as_typed(self, request: Request, form: FormData) -> Righting:
        """Return the form of the entry that was sent, with what was typed."""
        sheet = await self._righting(request, str(form.get("entry", "")))
        sheet.take(form)
        return sheet

    async def answer(self, request: Request, sheet: Sheet) -> Response:
        """Show the form again or the effect of what was typed, or record it. Raises Problem, ServiceDown."""
        assert isinstance(sheet, Righting)
        if sheet.entry is None:
            return await self.page(request, sheet, 422)
        if sheet.value("step") == "edit":
            return await self.page(request, sheet)
        body = self._body_of(sheet, sheet.entry)
        if sheet.value("step") == "record":
            return await self.record(request, sheet, body)
        return await self._preview(request, sheet, body)

    async def content(self, request: Request, sheet: Sheet) -> dict[str, Any]:
        """Return the record's key, and the address of these pages."""
        return {"key": "/".join(request.path_params.values()), "action": request.url.path}

    def _body_of(self, sheet: Righting, entry: Entry) -> dict[str, Any]:
        body = body_of(sheet.fields, sheet.typed)
        if self._command.word == "void":
            return body | {"voids": entry.version}
        data = corrected(entry, sheet.typed)
        sheet.changes = changes_of(entry.data, data)
        return body | {"corrects": entry.version, "data": data}

    async def _preview(self, request: Request, sheet: Righting, body: Mapping[str, Any]) -> Response:
        """Show what would change, decided by the service without recording it."""
        if self._command.word == "correct" and not sheet.changes:
            sheet.uncertain = _("Nothing differs from what is on record: change a field, or go back.")
            return await self.page(request, sheet, 422)
        validated = await services(request).validated(self._command.service, self._path(request), body, sheet.seen)
        named = {each.version: each for each in sheet.entries}
        voided = [each["data"].get("voids") for each in validated]
        sheet.effects = [named[version] for version in voided if version in named]
        sheet.resting = await services(request).part("recommendations", "/dependants", stream=sheet.stream)
        sheet.step = "preview"
        return await self.page(request, sheet)

    async def _righting(self, request: Request, version: str) -> Righting:
        """Return the form of an entry; its history is read for it. Raises Problem, ServiceDown."""
        stream = self._stream(request)
        entries = entries_of(await services(request).get(self._command.service, stream_path(stream)))
        entry = next((each for each in entries if str(each.version) == version and self._is_able(each)), None)
        last = str(entries[-1].version) if entries else ""
        fields = tuple(each for each in fields_of(self._command.fields) if each.own not in _OWN)
        correcting = entry is not None and self._command.word == "correct"
        return Righting(
            self._command, fields, {}, uuid4().hex, last, stream, step="edit" if entry else "choose", entry=entry,
            entries=entries, data_fields=fields_of_event(entry.type) if entry and correcting else (),
            fixed=fixed_of(entry) if entry and correcting else {},
        )  # fmt: skip

    def _is_able(self, entry: Entry) -> bool:
        return entry.can_be_corrected if self._command.word == "correct" else entry.can_be_voided

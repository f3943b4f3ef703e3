"""The form of a command: shown, sent once under its id, shown again with what was typed where it is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import orjson
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from tools.client import api
from tools.console.forms.choices import choices_of
from tools.console.forms.fields import fields_of
from tools.console.forms.local_times import with_offsets
from tools.console.forms.on_record import filled_in
from tools.console.forms.sheet import Sheet
from tools.console.forms.values import body_of
from tools.console.kinds import address_of, filled, kinds, stream_path
from tools.console.languages import _
from tools.console.pages.request import person, renderer, services
from tools.console.security import is_own
from tools.console.services import FieldFault, Missing, Problem, ServiceDown
from tools.console.times import zone_of


class Page:
    """The form of one command; `template` shows it."""

    template = "form.html"

    def __init__(self, command: api.Command) -> None:
        self._command = command
        base = command.path if command.is_new else command.path.rpartition("/")[0]
        self.address = f"{base}/{'new' if command.is_new else 'do'}/{command.word}"
        self._fields = fields_of(command.fields)

    async def show(self, request: Request) -> Response:
        """Show the form, with what its address gives filled in, to those whose command it is."""
        if (refused := self.not_theirs(request)) is not None:
            return refused
        record = await self._as_seen(request)
        sheet = self._sheet(request, str(record["version"]) if record else "")
        on_record = filled_in(self._command, sheet.fields, record["state"]) if record else {}
        sheet.typed = on_record | {name: [value] for name, value in request.query_params.multi_items()}
        return await self.page(request, sheet)

    def not_theirs(self, request: Request) -> Response | None:
        """Return the page for somebody whose role does not record this, or None."""
        if person(request).role in self._command.roles:
            return None
        return renderer(request).error(request, 403, "not_your_role", roles=sorted(self._command.roles))

    async def send(self, request: Request) -> Response:
        """Send what was typed; show the form again where it is refused, or its fate is not known."""
        form = await request.form(max_part_size=200_000)
        sheet = await self.as_typed(request, form)
        if not is_own(request, form.get("csrf")):
            sheet.uncertain = _("This page was opened in an earlier session. Check it, and send it again.")
            return await self.page(request, sheet, 403)
        try:
            await self._upload(request, form, sheet)
            return await self.answer(request, sheet)
        except ServiceDown as down:
            sheet.uncertain = _(
                "The service %(service)s does not answer. It is not known whether this was recorded. "
                "Send it again: it is recorded once.",
                service=down.service,
            )
            return await self.page(request, sheet, 503)
        except Problem as problem:
            return await self._refused(request, sheet, problem)

    async def as_typed(self, request: Request, form: FormData) -> Sheet:
        """Return the form with what was typed."""
        sheet = self._sheet(request)
        sheet.take(form)
        return sheet

    async def answer(self, request: Request, sheet: Sheet) -> Response:
        """Answer what was typed: record it. Raises Problem, ServiceDown."""
        return await self.record(request, sheet, self.body(request, sheet))

    def body(self, request: Request, sheet: Sheet) -> dict[str, Any]:
        """Return the body of the command, as typed: of a focal point with its own member."""
        typed = with_offsets(sheet.fields, sheet.typed, zone_of(request))
        own = {} if self._asks_member(request) else {"member": person(request).member}
        return body_of(sheet.fields, typed) | own

    async def record(self, request: Request, sheet: Sheet, body: Mapping[str, Any]) -> Response:
        """Record the command, and lead to its record. Raises Problem, ServiceDown."""
        sent = [request.url.path, sheet.version, hashlib.sha256(orjson.dumps(body)).hexdigest()]
        sheet.command_id = _id_of_the_same(request, sent) or sheet.command_id
        recorded = await services(request).command(
            self._command.service, self._path(request), body, sheet.command_id, sheet.seen
        )
        request.session["done"] = {
            "word": self._command.word, "noun": self._command.noun, "stream": recorded.stream,
            "version": recorded.version, "replayed": recorded.replayed,
        }  # fmt: skip
        sent[1] = "" if self._command.is_new else str(recorded.version)
        request.session["sent"] = {"what": sent, "command_id": sheet.command_id}
        return RedirectResponse(address_of(recorded.stream) or "/", 303)

    async def content(self, request: Request, sheet: Sheet) -> dict[str, Any]:
        """Return what the template shows beside the fields."""
        return {}

    async def page(self, request: Request, sheet: Sheet, status: int = 200) -> Response:
        """Show the form as it is."""
        path = self._path(request).rpartition("/")[0] if request.path_params else None
        choices = await choices_of(services(request), self._command, sheet.fields, path)
        return renderer(request).page(
            request, self.template, status, sheet=sheet, command=self._command, choices=choices,
            back=address_of(sheet.stream) if sheet.stream else _list_of(self._command),
            **await self.content(request, sheet),
        )  # fmt: skip

    async def _refused(self, request: Request, sheet: Sheet, problem: Problem) -> Response:
        sheet.problem = problem
        sheet.faults = [FieldFault(fault.field.removeprefix("body."), fault.message) for fault in problem.faults]
        if problem.status == 412 and sheet.stream:
            await self._see_changes(request, sheet)
        if problem.status in (409, 412, 422):
            sheet.command_id = uuid4().hex
        return await self.page(request, sheet, problem.status)

    async def _see_changes(self, request: Request, sheet: Sheet) -> None:
        """Show what others recorded since the person saw the record, and count it as seen."""
        events = await services(request).part(self._command.service, stream_path(sheet.stream))
        known = [] if isinstance(events, Missing) else events
        sheet.changed = [event for event in known if event["streamversion"] > (sheet.seen or 0)]
        record = None if known else await self._as_seen(request)
        version = known[-1]["streamversion"] if known else record["version"] if record else ""
        sheet.version = str(version)

    def _sheet(self, request: Request, version: str = "") -> Sheet:
        has_member = self._asks_member(request)
        fields = self._fields if has_member else tuple(each for each in self._fields if each.name != "member")
        return Sheet(self._command, fields, {}, uuid4().hex, version, self._stream(request))

    def _stream(self, request: Request) -> str | None:
        key = "/".join(request.path_params.values())
        return f"{self._command.noun.replace('-', '_')}/{key}" if key else None

    def _asks_member(self, request: Request) -> bool:
        """Tell whether the form asks for which member a command acts: a focal point acts for its own."""
        return person(request).role != "focal_point" or all(each.name != "member" for each in self._fields)

    def _path(self, request: Request) -> str:
        return filled(self._command.path, request.path_params)

    async def _as_seen(self, request: Request) -> dict[str, Any] | None:
        """Return the record that the person sees, on whose version the command is decided."""
        kind = kinds().get(self._command.noun)
        if kind is None or not request.path_params:
            return None
        return await services(request).find(kind.service, filled(kind.one, request.path_params))

    async def _upload(self, request: Request, form: FormData, sheet: Sheet) -> None:
        """Store each document given beside a digest, and put its digest in. Raises Problem, ServiceDown."""
        most = request.app.state.settings.upload_bytes
        for name, upload in form.multi_items():
            if not isinstance(upload, UploadFile) or not upload.filename:
                continue
            if (upload.size or 0) > most:
                raise _too_large(self._command.service, name.removesuffix(".file"), most)
            content = await upload.read()
            digest = hashlib.sha256(content).hexdigest()
            headers = {"Content-Type": _media_type(upload)}
            await services(request).send(
                self._command.service, "PUT", f"/documents/{digest}", content=content, headers=headers
            )
            sheet.typed[name.removesuffix(".file")] = [digest]


def _too_large(service: str, field: str, most: int) -> Problem:
    fault = {"field": f"body.{field}", "message": f"the document is too large: it may hold {most:,} bytes"}
    return Problem(service, 413, {"rule": "BodyTooLarge", "title": "The document is too large", "errors": [fault]})


def _media_type(upload: UploadFile) -> str:
    """Return the media type that a browser gave a document; where a header cannot carry it, that of any bytes."""
    given = upload.content_type or ""
    return given if given.isascii() and given.isprintable() and given else "application/octet-stream"


def _id_of_the_same(request: Request, sent: list[str]) -> str | None:
    """Return the id of the person's last command where the same is sent after it: by the back button it comes anew."""
    last = request.session.get("sent", {})
    return last["command_id"] if last.get("what") == sent else None


def _list_of(command: api.Command) -> str:
    """Return the address of the list that a command's kind has."""
    kind = kinds().get(command.noun)
    return kind.plural if kind else "/"

"""A form as it is shown: what was typed, under which id and version, and what was wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import FormData

from tools.client import api
from tools.console.forms.fields import Field, row
from tools.console.forms.values import rows_of
from tools.console.services import FieldFault, Problem, is_command_id

SELDOM = frozenset({"note", "source", "status", "seen", "person", "nomination", "meeting_id", "symbol_status"})
_DIGITS = 16
_OWN = ("csrf", "command_id", "version")


@dataclass
class Sheet:
    """A form as it is shown: its command, fields, what was typed, and what was wrong with it."""

    command: api.Command
    fields: tuple[Field, ...]
    typed: dict[str, list[str]]
    command_id: str
    version: str = ""
    stream: str | None = None
    faults: list[FieldFault] = field(default_factory=list)
    problem: Problem | None = None
    uncertain: str | None = None
    changed: Sequence[dict[str, Any]] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    """The names of the inputs that stand for items of a list, by the item: `attendance.0` is `presence.member-1`."""

    @property
    def inputs(self) -> tuple[Field, ...]:
        """All fields of the form."""
        return self.fields

    @property
    def seen(self) -> int | None:
        """The version of the record that the person saw, if there was one."""
        return int(self.version) if self.version.isdecimal() and len(self.version) < _DIGITS else None

    @property
    def zone(self) -> str:
        """The time zone of the record, where the form takes times and does not ask for their zone."""
        return "" if any(field.name == "time_zone" for field in self.fields) else self.value("time_zone")

    @property
    def main(self) -> tuple[Field, ...]:
        """The fields that a person fills in."""
        return tuple(field for field in self.fields if not _is_seldom(field))

    @property
    def seldom(self) -> tuple[Field, ...]:
        """The fields that are mostly left out: behind a fold."""
        return tuple(field for field in self.fields if _is_seldom(field))

    @property
    def shows_seldom(self) -> bool:
        """Tell whether one of those was typed, or is wrong."""
        return any(self.value(field.name) or self.fault(field.name) for field in self.seldom)

    @property
    def general(self) -> list[FieldFault]:
        """The errors of what the form has no field for."""
        own = {field.name.partition(".")[0] for field in self.inputs}
        return [fault for fault in self.faults if fault.field.partition(".")[0] not in own]

    def value(self, name: str) -> str:
        """Return what was typed into a field."""
        texts = self.typed.get(name) or [""]
        return texts[0]

    def fault(self, name: str) -> str | None:
        """Return the error of a field."""
        return next((fault.message for fault in self.faults if name in (fault.field, self._place(fault.field))), None)

    def element(self, field: str) -> str:
        """Return the id of the element that shows a field of the body."""
        return f"f-{self._place(field) or field.replace('.', '-')}"

    def _place(self, field: str) -> str | None:
        return self.places.get(".".join(field.split(".")[:2]))

    def rows(self, field: Field) -> list[tuple[Field, ...]]:
        """Return the rows of a list of objects: those typed, and blank ones."""
        return [row(field, index) for index in range(rows_of(field, self.typed) + 2)]

    def take(self, form: FormData) -> None:
        """Take what was sent: the texts, and the id and version under which they were typed."""
        self.version = str(form.get("version") or self.version)
        command_id = str(form.get("command_id"))
        self.command_id = command_id if is_command_id(command_id) else self.command_id
        self.typed = typed_in(form)


def typed_in(form: FormData) -> dict[str, list[str]]:
    """Return what was typed into a form, by field."""
    typed: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str) and name not in _OWN:
            typed.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return typed


def _is_seldom(field: Field) -> bool:
    return not field.of.required and field.own in SELDOM

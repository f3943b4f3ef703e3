"""The fields of a form, made from the fields of a command's body."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tools.client import api

Kind = Literal["line", "area", "choice", "flag", "number", "date", "time", "lines", "checks", "group", "rows", "open"]


@dataclass(frozen=True)
class Field:
    """A field of a form; `name` is dotted, as `note_verbale.reference` or `renditions.0.language`."""

    name: str
    kind: Kind
    of: api.Field
    children: tuple[Field, ...] = ()

    @property
    def own(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]

    @property
    def id(self) -> str:
        """The id of the field's element on the page."""
        return "f-" + self.name.replace(".", "-")

    @property
    def words(self) -> tuple[str, ...]:
        """The words that may be chosen."""
        return self.of.item.words if self.of.item else self.of.words


def fields_of(described: Sequence[api.Field], prefix: str = "") -> tuple[Field, ...]:
    """Return the fields of a form, those that must be given first."""
    fields = [_field(prefix + each.name, each) for each in described]
    return tuple(sorted(fields, key=lambda field: not field.of.required))


def row(field: Field, index: int) -> tuple[Field, ...]:
    """Return the fields of one row of a list of objects."""
    assert field.of.item is not None
    return fields_of(field.of.item.fields, f"{field.name}.{index}.")


def leaves(fields: Sequence[Field]) -> Iterator[Field]:
    """Yield the fields that hold a value, those of groups included, and lists of objects as they are."""
    for field in fields:
        if field.kind == "group":
            yield from leaves(field.children)
        else:
            yield field


def optional(field: Field) -> Field:
    """Return a field that may be left out."""
    return replace(field, of=replace(field.of, required=False))


def _field(name: str, described: api.Field) -> Field:
    children = fields_of(described.fields, f"{name}.") if described.fields else ()
    return Field(name, _kind(described), described, children)


def _kind(described: api.Field) -> Kind:
    match described.type:
        case "boolean":
            return "flag"
        case "integer" | "number":
            return "number"
        case "array":
            item = described.item
            return "rows" if item and item.fields else "checks" if item and item.words else "lines"
        case "object":
            return "group" if described.fields else "open"
        case _:
            return _kind_of_text(described)


def _kind_of_text(described: api.Field) -> Kind:
    if described.words:
        return "choice"
    if (described.pattern or "").startswith("^([0-9]{4})"):
        return "date"
    if (described.pattern or "").startswith("^(?:([0-9]{4})"):
        return "time"
    return "area" if described.is_long else "line"

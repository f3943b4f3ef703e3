"""Filters of queries as options."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tools.cli.bodies import read_value
from tools.client.api import Field, Parameter

_TYPES: dict[str, Any] = {"integer": int, "number": float, "boolean": bool}


def flag_of(filter_: Parameter) -> str:
    """Return what is typed for a filter."""
    return f"--{filter_.name.replace('_', '-')}"


def filter_argument(filter_: Parameter) -> str:
    """Return the name of the Python argument that takes a filter's value."""
    return f"filter_{filter_.name}"


def filter_annotation(filter_: Parameter, panel: str) -> Any:
    """Return the option of a filter, in a panel of the help; a list is its option repeated."""
    kind, words = _TYPES.get(filter_.type, str), list(filter_.words)
    shown = typer.Option(
        flag_of(filter_),
        help=describe(_field(filter_)),
        show_default=False,
        rich_help_panel=panel,
        metavar="WORD" if words else "TEXT" if kind is str else None,
        autocompletion=lambda: words,
    )
    if filter_.type == "array":
        return Annotated[list[str] if filter_.required else list[str] | None, shown]
    return Annotated[kind if filter_.required else kind | None, shown]


def read_filter(filter_: Parameter, given: Any) -> Any:
    """Return the value that was typed for a filter. Raises BadInput for a word or form that it does not take."""
    if isinstance(given, list):
        return [read_value(flag_of(filter_), _field(filter_), each) for each in given]
    return None if given is None else read_value(flag_of(filter_), _field(filter_), given)


def _field(filter_: Parameter) -> Field:
    return Field(
        filter_.name,
        filter_.type,
        required=filter_.required,
        words=filter_.words,
        description=filter_.description,
        form=filter_.form,
        pattern=filter_.pattern,
    )


def describe(field: Field) -> str:
    """Return the help of a field: its description, its words or form, and whether it must be given."""
    inner = field.item or field
    says = field.description or inner.description
    parts = [says[:1].upper() + says[1:] if says else ""]
    parts.append(f"One of {', '.join(inner.words)}" if inner.words else "")
    parts.append(inner.form[:1].upper() + inner.form[1:] if inner.form and not says else "")
    parts.append(f"An object of {', '.join(each.name for each in inner.fields)}" if inner.fields else "")
    parts.append("May be repeated" if field.item else "")
    parts.append("Required" if field.required else "")
    return ". ".join(part.rstrip(".") for part in parts if part)

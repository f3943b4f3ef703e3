"""The body of a command from what a person typed, and what is typed again from a body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tools.console.forms.fields import Field, row

ROWS, DIGITS = 50, 10


def body_of(fields: Sequence[Field], typed: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the body that the typed texts make; a blank field is left out, and a text that is no number stays one."""
    body = {}
    for field in fields:
        value = _value(field, typed)
        if value not in (None, "", [], {}):
            body[field.own] = value
    return body


def typed_from(fields: Sequence[Field], body: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what a person would have typed for a body."""
    typed: dict[str, list[str]] = {}
    for field in fields:
        value = body.get(field.own)
        if value is None:
            continue
        if field.kind == "group":
            typed |= typed_from(field.children, value)
        elif field.kind == "rows":
            for index, each in enumerate(value):
                typed |= typed_from(row(field, index), each)
        elif field.kind == "lines":
            typed[field.name] = ["\n".join(map(str, value))]
        elif field.kind == "checks":
            typed[field.name] = [str(each) for each in value]
        else:
            typed[field.name] = [str(value).lower() if isinstance(value, bool) else str(value)]
    return typed


def rows_of(field: Field, typed: Mapping[str, Sequence[str]]) -> int:
    """Return how many rows of a list of objects were typed."""
    prefix = f"{field.name}."
    numbers = [
        name[len(prefix) :].partition(".")[0] for name, texts in typed.items() if name.startswith(prefix) and any(texts)
    ]
    return min(ROWS, max((int(number) + 1 for number in numbers if _is_short(number)), default=0))


def _is_short(number: str) -> bool:
    return number.isdecimal() and len(number) < DIGITS


def _value(field: Field, typed: Mapping[str, Sequence[str]]) -> Any:
    if field.kind == "group":
        return body_of(field.children, typed)
    if field.kind == "rows":
        bodies = [body_of(row(field, index), typed) for index in range(rows_of(field, typed))]
        return [body for body in bodies if body]
    texts = typed.get(field.name, ())
    if field.kind == "checks":
        return [text for text in texts if text]
    text = texts[0].strip() if texts else ""
    match field.kind:
        case "lines":
            return [line.strip() for line in text.split("\n") if line.strip()]
        case "flag":
            return {"true": True, "false": False}.get(text)
        case "number":
            return int(text) if text.isascii() and _is_short(text) else text
        case _:
            return text

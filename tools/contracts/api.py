"""The table of all commands and queries of the services, from which the command line and the console are made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.events.wording import words_of_form
from tools.contracts.naming import WRITTEN, ending_of, plural_of, singular, summary_of_query, word_of_command
from tools.contracts.routes import applications, kinds_of, operation_of, roles_of, routes_of
from tools.contracts.schemas import Published

PERSONAL = "details"
"""The field of a body that holds a person's details in plain text, as docs/privacy.md has it."""
REMARKS = ("note", "source", "status")
_SHOWN = ("type", "format", "pattern", "form", "default", "minimum", "maximum", "maxLength", "examples")
Row = dict[str, Any]


def table() -> dict[str, Any]:
    """Return the commands, the other operations that change something, the queries, and the schemas that they share."""
    commands: list[Row] = []
    operations: list[Row] = []
    queries: list[Row] = []
    models: dict[str, type[BaseModel]] = {}
    for service, app in applications().items():
        kinds = kinds_of(service)
        for route in routes_of(app):
            row = _row(service, route, operation_of(app, route))
            if route.methods == {"GET"}:
                queries.append(_query(row))
                continue
            if route.body_field is not None:
                model: type[BaseModel] = route.body_field.field_info.annotation  # type: ignore[assignment]
                models[model.__name__] = model
                row["body"] = model.__name__
            is_command = route.path in kinds
            (commands if is_command else operations).append(_command(row, kinds.get(route.path)))
    _check_words(commands + operations + queries)
    return _with_schemas(commands, operations, models) | {"queries": queries}


def _row(service: str, route: APIRoute, operation: Row) -> Row:
    [method] = route.methods or {""}
    return {
        "service": service,
        "name": route.name,
        "method": method,
        "path": route.path_format,
        "roles": roles_of(route),
        "summary": operation["summary"],
        "parameters": [_parameter(each) for each in operation.get("parameters", ()) if each["in"] != "header"],
    }


def _command(row: Row, kind: str | None) -> Row:
    path, name = row["path"], row["name"]
    if kind:
        noun = kind.replace("_", "-")
        word = word_of_command(name, noun, path)
    else:
        word = ending_of(path) or name.partition("_")[0]
        noun = singular(plural_of(path).removesuffix(f"-{word}"))
    named = {"noun": noun, "word": word, "typed": WRITTEN.get(path, f"{noun} {word}")}
    return {"service": row.pop("service"), **named, **row}


def _query(row: Row) -> Row:
    path = row["path"]
    plural, one = plural_of(path), "{" in path
    word = (ending_of(path) or "show") if one else "list"
    noun = singular(plural)
    typed = WRITTEN.get(path, f"{noun} {word}" if one else plural)
    named = {"noun": noun, "plural": plural, "word": word, "typed": typed, "one": one}
    return {
        "service": row["service"],
        **named,
        **row,
        "summary": summary_of_query(row["summary"], row["service"], plural),
    }


def _parameter(described: Row) -> Row:
    """Return a parameter of a path or query, without nulls and titles."""
    schema = described["schema"]
    schema = next((each for each in schema.get("anyOf", ()) if each.get("type") != "null"), {}) | schema
    shown = {"name": described["name"], "in": described["in"], "required": described["required"]}
    if "description" in (explained := schema | described):
        shown["description"] = explained["description"]
    shown |= {"words": schema["enum"]} if "enum" in schema else {}
    shown |= {"form": form} if (form := words_of_form(schema.get("pattern", ""))) else {}
    return shown | {name: schema[name] for name in _SHOWN if name in schema}


def _check_words(rows: list[Row]) -> None:
    """Hold apart what is typed: it names one command or query of a service. Raises ValueError."""
    counted = Counter((row["service"], row["typed"]) for row in rows if row["path"] not in WRITTEN)
    if twice := [key for key, number in counted.items() if number > 1]:
        raise ValueError(f"two routes have the same words: {twice}; give one of them another path")


def _with_schemas(commands: list[Row], operations: list[Row], models: dict[str, type[BaseModel]]) -> dict[str, Any]:
    """Put each body's schema in its place; one that several rows have stays with those that bodies share."""
    _, schema = models_json_schema(
        [(models[name], "validation") for name in sorted(models)], schema_generator=Published
    )
    shared: dict[str, Row] = {name: _annotated(each) for name, each in schema["$defs"].items()}
    bodies = Counter(row["body"] for row in commands + operations if "body" in row)
    for row in (row for row in commands + operations if "body" in row):
        name = row["body"]
        row["body"] = {"$ref": f"#/$defs/{name}"} if bodies[name] > 1 else shared[name]
    inlined = {name for name, number in bodies.items() if number == 1}
    return {
        "$defs": {name: each for name, each in sorted(shared.items()) if name not in inlined},
        "commands": commands,
        "operations": operations,
    }


def _annotated(schema: Any) -> Any:
    """Return a schema with the words of each pattern, and a mark at what is personal."""
    match schema:
        case dict():
            shown = {name: _annotated(value) for name, value in schema.items()}
            if isinstance(pattern := schema.get("pattern"), str) and (form := words_of_form(pattern)):
                shown["form"] = form
            if isinstance(properties := shown.get("properties"), dict):
                shown["properties"] = _in_order(properties)
            return shown
        case list():
            return [_annotated(item) for item in schema]
        case _:
            return schema


def _in_order(properties: Row) -> Row:
    """Return the fields of a body: its own, what is personal marked, then its remarks."""
    if PERSONAL in properties:
        properties[PERSONAL]["personal"] = True
    return dict(sorted(properties.items(), key=lambda each: each[0] in REMARKS))


def as_lines(content: dict[str, Any]) -> bytes:
    """Return the table as JSON with one row on each line."""
    return b"{\n" + b",\n".join(_section(name, rows) for name, rows in content.items()) + b"\n}\n"


def _section(name: str, rows: dict[str, Any] | list[Row]) -> bytes:
    opening, closing = ("{", "}") if isinstance(rows, dict) else ("[", "]")
    return f'"{name}": {opening}\n'.encode() + b",\n".join(_lines(rows)) + f"\n{closing}".encode()


def _lines(rows: dict[str, Any] | list[Row]) -> Iterator[bytes]:
    if isinstance(rows, dict):
        yield from (b"%b: %b" % (orjson.dumps(name), orjson.dumps(row)) for name, row in rows.items())
    else:
        yield from map(orjson.dumps, rows)

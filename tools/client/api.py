"""The commands and queries of the services, as `make schemas` wrote them: light, so that a command line may read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import orjson

FILE = Path(__file__).with_name("api.json")
LONG_TEXT = 500
"""The longest text that is one line; a longer one may have several."""


@dataclass(frozen=True)
class Input:
    """A value that a caller gives: its name, its type, and whatever limits and explains it."""

    name: str
    type: str
    required: bool = False
    words: tuple[str, ...] = ()
    description: str = ""
    form: str = ""
    pattern: str | None = None
    default: Any = None
    examples: tuple[Any, ...] = ()
    maximum: int | None = None


@dataclass(frozen=True)
class Parameter(Input):
    """A parameter of a path or a query."""

    in_path: bool = False


@dataclass(frozen=True)
class Field(Input):
    """A field of a body. An object has `fields`; a list has `item`, the field that each of its items is."""

    minimum: int | None = None
    max_length: int | None = None
    min_items: int = 0
    personal: bool = False
    exclusive: bool = False
    """True of an object of which exactly one field is given."""
    fields: tuple[Field, ...] = ()
    item: Field | None = None

    @property
    def is_long(self) -> bool:
        """True of a text of several lines."""
        return self.type == "string" and not self.words and (self.max_length or 0) > LONG_TEXT

    @property
    def is_open(self) -> bool:
        """True of an object whose fields are not described."""
        return self.type == "object" and not self.fields


@dataclass(frozen=True, kw_only=True)
class Route:
    """A route of a service, named by `noun` and `word`; `typed` is what names it on the command line."""

    service: str
    noun: str
    word: str
    typed: str
    name: str
    path: str
    roles: tuple[str, ...]
    summary: str
    parameters: tuple[Parameter, ...] = ()

    @property
    def filters(self) -> tuple[Parameter, ...]:
        """The parameters that follow the question mark."""
        return tuple(each for each in self.parameters if not each.in_path)

    @property
    def in_path(self) -> tuple[Parameter, ...]:
        """The parts of a record's id."""
        return tuple(each for each in self.parameters if each.in_path)


@dataclass(frozen=True, kw_only=True)
class Command(Route):
    """A command; `body` is a JSON Schema, whose `$defs` are `definitions()`."""

    method: str
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of the body, in the order of a form."""
        return tuple(_fields(self.body))

    @property
    def is_new(self) -> bool:
        """True where it begins a record, so that its path names none."""
        return "{" not in self.path


@dataclass(frozen=True, kw_only=True)
class Query(Route):
    """A query: of `one` record, whose id is in the path; else of a list, by `plural`."""

    plural: str
    one: bool


@cache
def commands() -> tuple[Command, ...]:
    """Return the commands that record events."""
    return tuple(map(_command, _table()["commands"]))


@cache
def operations() -> tuple[Command, ...]:
    """Return what else changes something: documents, dead letters, rebuild. It takes no command id."""
    return tuple(map(_command, _table()["operations"]))


@cache
def queries() -> tuple[Query, ...]:
    """Return the queries of each service."""
    return tuple(
        Query(**row | {"roles": tuple(row["roles"]), "parameters": tuple(map(_parameter, row["parameters"]))})
        for row in ({name: row[name] for name in row if name != "method"} for row in _table()["queries"])
    )


@cache
def command(noun: str, word: str) -> Command:
    """Return the command of a noun and a word. Raises LookupError."""
    for each in commands():
        if (each.noun, each.word) == (noun, word):
            return each
    raise LookupError(f"{noun} {word}: is not a command")


def fields_of(schema: Mapping[str, Any]) -> tuple[Field, ...]:
    """Return the fields of an object that a JSON Schema describes whole, without references."""
    return tuple(_fields(schema))


def definitions() -> Mapping[str, Any]:
    """Return the schemas to which those of bodies refer, by name."""
    described: Mapping[str, Any] = _table()["$defs"]
    return described


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = orjson.loads(FILE.read_bytes())
    return table


def _command(row: dict[str, Any]) -> Command:
    given = {
        "roles": tuple(row["roles"]),
        "parameters": tuple(map(_parameter, row["parameters"])),
        "body": _resolved(row.get("body", {})),
    }
    return Command(**row | given)


def _parameter(row: dict[str, Any]) -> Parameter:
    common = _common(row["name"], row, row.get("words", ()))
    return Parameter(**common, required=row["required"], in_path=row["in"] == "path")


def _common(name: str, row: Mapping[str, Any], words: Iterable[str]) -> dict[str, Any]:
    """Return what parameters and fields have in common."""
    return {
        "name": name,
        "type": row.get("type", "string"),
        "words": tuple(words),
        "description": row.get("description", ""),
        "form": row.get("form", ""),
        "pattern": row.get("pattern"),
        "default": row.get("default"),
        "examples": tuple(row.get("examples", ())),
        "maximum": row.get("maximum"),
    }


def _resolved(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema with what it refers to in its place; its own words beside the reference come first."""
    target = definitions()[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else {}
    return {**target, **{name: value for name, value in schema.items() if name != "$ref"}}


def _fields(schema: Mapping[str, Any]) -> Iterator[Field]:
    required = schema.get("required", ())
    for name, described in schema.get("properties", {}).items():
        yield replace(_field(name, _resolved(described)), required=name in required)


def _field(name: str, schema: Mapping[str, Any]) -> Field:
    common = _common(name, schema, schema.get("enum", ()))
    return Field(
        **common,
        minimum=schema.get("minimum"),
        max_length=schema.get("maxLength"),
        min_items=schema.get("minItems", 0),
        personal=schema.get("personal", False),
        exclusive="oneOf" in schema,
        fields=tuple(_fields(schema)) if common["type"] == "object" else (),
        item=_field(name, _resolved(schema["items"])) if common["type"] == "array" else None,
    )

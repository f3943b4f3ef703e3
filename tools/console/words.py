"""The words of the record that pages show with a label: names of fields, words of lists, of commands and of events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import orjson

import shared.events
from shared.events import words as lists
from shared.events.catalogue import EVENTS
from tools.client import api
from tools.console.kinds import kinds
from tools.console.labels import english, english_event

_SCHEMAS = Path(shared.events.__file__).with_name("schemas")
STATES = [
    "accepted",
    "adopted_anew",
    "agenda",
    "attempt",
    "attendance",
    "before",
    "before_the_committee",
    "began",
    "cancelled",
    "certainty",
    "changes",
    "citations",
    "cited",
    "closed",
    "convened",
    "declined",
    "deep",
    "delivered",
    "discharged",
    "discussed",
    "documents",
    "drafted",
    "endorsed",
    "failed",
    "followed_up",
    "held",
    "interrupted",
    "late",
    "live",
    "mandates",
    "merged",
    "opened",
    "origins",
    "outcomes",
    "particulars",
    "planned",
    "proceedings",
    "provisions",
    "reaffirmed",
    "reconfirmed",
    "recorded",
    "registered",
    "returned",
    "revised",
    "shallow",
    "split",
    "suspect",
    "transmitted",
    "uncertain",
    "uncited",
    "uncovered",
    "versions",
    "void",
    "withdrawn",
]
"""The words of the states that services show: names of their fields, stages and standings."""
REASONS = [
    "broken_chain",
    "conflicting_bytes",
    "not_canonical",
    "schema_violation",
    "too_large",
    "undecodable",
    "unknown_type",
    "unsigned",
    "wrong_subject",
]
"""The reasons of dead letters."""


@cache
def labels_of_the_record() -> tuple[str, ...]:
    """Return the English labels of all words of the record, in order."""
    words = {*_of_the_api(), *_of_the_lists(), *_of_the_kinds(), *_of_the_events(), *STATES, *REASONS}
    names = {*EVENTS, *(each.name for each in api.commands())}
    return tuple(sorted({*(english(each) for each in words if each.islower()), *map(english_event, names)}))


def _of_the_api() -> Iterator[str]:
    for command in (*api.commands(), *api.operations()):
        yield from (command.noun, command.word)
        yield from _of_the_fields(command.fields)
    for query in api.queries():
        for parameter in query.filters:
            yield from (parameter.name, *map(str, parameter.words))


def _of_the_fields(fields: Iterable[api.Field]) -> Iterator[str]:
    for field in fields:
        yield from (field.name, *map(str, field.words))
        yield from _of_the_fields(field.fields)
        if field.item:
            yield from map(str, field.item.words)
            yield from _of_the_fields(field.item.fields)


def _of_the_lists() -> Iterator[str]:
    for each in vars(lists).values():
        if get_origin(each) is Literal:
            yield from map(str, get_args(each))


def _of_the_kinds() -> Iterator[str]:
    for kind in kinds().values():
        yield from (kind.noun, kind.plural.strip("/"), *(column.label for column in kind.columns))


def _of_the_events() -> Iterator[str]:
    for path in _SCHEMAS.glob("*.json"):
        yield from _named(orjson.loads(path.read_bytes())["$defs"])


def _named(schema: Any) -> Iterator[str]:
    """Yield the names of the fields that a JSON Schema describes, and the words that they may have."""
    if isinstance(schema, list):
        for item in schema:
            yield from _named(item)
    elif isinstance(schema, dict):
        yield from schema.get("properties", {})
        yield from (each for each in schema.get("enum", ()) if isinstance(each, str))
        for value in schema.values():
            yield from _named(value)

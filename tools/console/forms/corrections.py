"""The entries of a record's history, as they read now: which can be corrected or voided, and the form of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

import shared.events
from shared.events.catalogue import EVENTS
from tools.client import api
from tools.console.differences import Piece, differences
from tools.console.forms.fields import Field, fields_of
from tools.console.forms.values import body_of, typed_from

PREFIX = "data."
_SCHEMAS = Path(shared.events.__file__).with_name("schemas")
_FILLED_IN = frozenset({"seen", "sealed"})
"""Fields that services fill in: a correction keeps them as they were recorded."""


@dataclass(frozen=True)
class Entry:
    """An entry of a history; `data` is what it says by now, `void_by` the version by which it counts no more."""

    version: int
    type: str
    time: str
    role: str
    data: Mapping[str, Any]
    about: int | None = None
    void_by: int | None = None
    corrected_by: int | None = None

    @property
    def can_be_corrected(self) -> bool:
        """True of an original that holds."""
        return self.about is None and self.void_by is None and bool(self.type in EVENTS)

    @property
    def can_be_voided(self) -> bool:
        """True of what people recorded, and what can be taken back."""
        return self.void_by is None and self.role != "system" and self.type in EVENTS and EVENTS[self.type].voidable


@dataclass(frozen=True)
class Change:
    """A field before and after a correction; `pieces` show the difference of a text by words."""

    name: str
    before: Any
    after: Any
    pieces: tuple[Piece, ...] = ()


def entries_of(events: Sequence[Mapping[str, Any]]) -> list[Entry]:
    """Return the entries of a stream's events, in order."""
    voids = _voids_of(events)
    corrections: dict[int, Mapping[str, Any]] = {
        event["data"]["corrects"]: event
        for event in events
        if _name(event) == "RecordCorrected" and event["streamversion"] not in voids
    }
    return [_entry(event, voids, corrections) for event in events]


@cache
def fields_of_event(type_name: str) -> tuple[Field, ...]:
    """Return the fields of a correction of an event: those of its schema that people may change."""
    schema = orjson.loads((_SCHEMAS / f"{type_name}.json").read_bytes())
    definitions = schema["$defs"]
    described = api.fields_of(_inlined(definitions[_title(type_name)], definitions))
    fixed = _FILLED_IN | EVENTS[type_name].fixed
    return fields_of([field for field in described if field.name not in fixed], PREFIX)


def fixed_of(entry: Entry) -> dict[str, Any]:
    """Return the fields of an entry that no correction changes, as a page shows them."""
    return {name: entry.data[name] for name in sorted(EVENTS[entry.type].fixed) if name in entry.data}


def typed_of(entry: Entry) -> dict[str, list[str]]:
    """Return an entry's data as a person would have typed it."""
    return typed_from(fields_of_event(entry.type), entry.data)


def corrected(entry: Entry, typed: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the whole new data of an entry: what was not touched stays to the letter."""
    fields = fields_of_event(entry.type)
    before, after = body_of(fields, typed_of(entry)), body_of(fields, typed)
    own = {field.own for field in fields}
    untouched = {name: value for name, value in entry.data.items() if name not in own}
    unchanged = {name: entry.data[name] for name in own & entry.data.keys() if after.get(name) == before.get(name)}
    return untouched | after | unchanged


def changes_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Return the fields that a correction changes."""
    names = [*before, *(name for name in after if name not in before)]
    return [
        _change(name, before.get(name), after.get(name))
        for name in names
        if _given(before.get(name)) != _given(after.get(name))
    ]


def _given(value: Any) -> Any:
    """Return a value, or None for one that says nothing: an empty list is as one left out."""
    return None if value in ("", [], {}) else value


def _change(name: str, before: Any, after: Any) -> Change:
    texts = isinstance(before, str) and isinstance(after, str)
    return Change(name, before, after, differences(before, after) if texts else ())


def _entry(event: Mapping[str, Any], voids: Mapping[int, int], corrections: Mapping[int, Mapping[str, Any]]) -> Entry:
    version, data = event["streamversion"], event["data"]
    about = data.get("corrects") if _name(event) == "RecordCorrected" else None
    about = data.get("voids") if _name(event) == "RecordVoided" else about
    correction = corrections.get(version)
    return Entry(
        version, event["type"], event["time"], event["role"], correction["data"]["data"] if correction else data, about,
        voids.get(version), correction["streamversion"] if correction else None,
    )  # fmt: skip


def _voids_of(events: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """Return, by version, the void by which it counts no more, from the last event back: voids too are void."""
    voids: dict[int, int] = {}
    for event in reversed(events):
        if _name(event) == "RecordVoided" and event["streamversion"] not in voids:
            voids.setdefault(event["data"]["voids"], event["streamversion"])
    return voids


def _name(event: Mapping[str, Any]) -> str:
    return _title(event["type"])


def _title(type_name: str) -> str:
    return type_name.split(".")[-2]


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """Return a schema with what it refers to in its place."""
    if isinstance(schema, list):
        return [_inlined(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    target = definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else {}
    own = {name: value for name, value in schema.items() if name != "$ref"}
    return {name: _inlined(value, definitions) for name, value in (target | own).items()}

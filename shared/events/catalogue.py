"""The catalogue of events: every class by its type, and the decoder of their bytes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import reduce
from importlib import import_module
from operator import or_
from types import ModuleType
from typing import Annotated, Any, Literal, TypeAlias

import orjson
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, create_model

from shared.events.envelope import Envelope
from shared.events.event import Correction, Event
from shared.events.services import SERVICES
from shared.events.upcasters import UPCASTERS, Upcaster, upcast

Recorded: TypeAlias = Envelope[Event]


class Undecodable(ValueError):
    """Bytes that are no event of this catalogue; `reason` is one of the words that a dead letter carries."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def _events_of(module: ModuleType) -> list[type[Event]]:
    return [
        member
        for name, member in vars(module).items()
        if inspect.isclass(member)
        and issubclass(member, Event)
        and member.__module__ == module.__name__
        and not name.startswith("_")
    ]


EVENTS: dict[str, type[Event]] = {
    event.type_name(): event for service in SERVICES for event in _events_of(import_module(f"shared.events.{service}"))
}


def _only(text: str) -> Any:
    return Literal[text]


def _envelope(event: type[Event]) -> Any:
    return create_model(
        f"{event.service.capitalize()}{event.__name__}",
        __base__=Envelope,
        type=(_only(event.type_name()), ...),
        source=(_only(f"/services/{event.service}"), ...),
        dataschema=(_only(event.schema_name()), ...),
        data=(event, ...),
    )


ENVELOPES: dict[str, type[Recorded]] = {name: _envelope(event) for name, event in EVENTS.items()}
_ADAPTER: TypeAdapter[Recorded] = TypeAdapter(
    Annotated[reduce(or_, ENVELOPES.values()), Field(discriminator="type")],  # type: ignore[arg-type]
    config=ConfigDict(cache_strings="keys"),
)
_PARSERS = {name.encode(): envelope.__pydantic_validator__.validate_json for name, envelope in ENVELOPES.items()}


def decode(raw: bytes, upcasters: Mapping[str, Upcaster] = UPCASTERS) -> Recorded:
    """Decode an event's bytes, older versions included.

    Raises Undecodable with reason `undecodable` (no JSON), `unknown_type` or `schema_violation`.
    """
    try:
        recorded = _parse(raw)
    except ValidationError as error:
        recorded = _decode_older(raw, error, upcasters)
    if b"null" in raw and _holds_null(orjson.loads(raw)):
        raise Undecodable("schema_violation", "a member is null; a fact that is not known is left out")
    return recorded


def _parse(raw: bytes) -> Recorded:
    """Parse by the type at the end of canonical bytes; where that fails, by the union of all types."""
    try:
        recorded: Recorded = _PARSERS[raw[raw.rfind(b':"') + 2 : -2]](raw)
    except (KeyError, ValidationError):
        return _ADAPTER.validate_json(raw)
    return recorded


def _decode_older(raw: bytes, error: ValidationError, upcasters: Mapping[str, Upcaster]) -> Recorded:
    try:
        attributes = orjson.loads(raw)
    except orjson.JSONDecodeError as broken:
        raise Undecodable("undecodable", str(broken)) from None
    known = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(known, str) or (known not in EVENTS and known not in upcasters):
        raise Undecodable("unknown_type", f"no event has the type {known!r}")
    if known in EVENTS:
        raise Undecodable("schema_violation", describe(error))
    try:
        return _ADAPTER.validate_python(upcast(attributes, upcasters))
    except ValidationError as still:
        raise Undecodable("schema_violation", describe(still)) from None
    except (AttributeError, LookupError, TypeError, ValueError) as fault:
        raise Undecodable("schema_violation", f"{known} cannot be read today: {type(fault).__name__}") from None


def _holds_null(value: Any) -> bool:
    match value:
        case dict():
            return any(_holds_null(member) for member in value.values())
        case list():
            return any(_holds_null(item) for item in value)
        case _:
            return value is None


def describe(error: ValidationError) -> str:
    """Say which fields break which rule, without the values (they may be personal)."""
    return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors(include_input=False))


def event_class(service: str, name: str) -> type[Event]:
    """Return the newest class of an event by its service and name; KeyError where there is none."""
    versions = [event for event in EVENTS.values() if event.service == service and event.__name__ == name]
    if not versions:
        raise KeyError(f"{service} has no event {name}")
    return max(versions, key=lambda event: event.version)


__all__ = [
    "ENVELOPES",
    "EVENTS",
    "SERVICES",
    "Correction",
    "Recorded",
    "Undecodable",
    "decode",
    "describe",
    "event_class",
]

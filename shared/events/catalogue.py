"""The catalogue of events: every class by its type, and the decoder of their bytes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, Literal, TypeAlias

import orjson
from pydantic import ValidationError, create_model

from shared.events.canonical import NotCanonical, check_canonical
from shared.events.envelope import Envelope
from shared.events.event import Correction, Event
from shared.events.services import SERVICES
from shared.events.upcasters import UPCASTERS, Upcaster, upcast
from shared.events.wording import sentence_of

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
        and member.__module__.startswith(module.__name__)
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
_PARSERS = {name: envelope.__pydantic_validator__.validate_python for name, envelope in ENVELOPES.items()}
_OWNERS = {event.begins[0]: event.service for event in EVENTS.values() if event.begins}


def decode(raw: bytes, upcasters: Mapping[str, Upcaster] = UPCASTERS) -> Recorded:
    """Decode an event's canonical bytes, older versions included.

    Raises Undecodable with reason `undecodable` (no JSON), `unknown_type`, `schema_violation`, `not_canonical` or
    `wrong_subject`.
    """
    try:
        attributes = orjson.loads(raw)
    except orjson.JSONDecodeError as broken:
        raise Undecodable("undecodable", str(broken)) from None
    recorded = _parse(attributes, upcasters)
    try:
        check_canonical(raw, attributes)
    except NotCanonical as fault:
        raise Undecodable("not_canonical", str(fault)) from None
    if b"null" in raw and _holds_null(attributes):
        raise Undecodable("schema_violation", "a member is null; a fact that is not known is left out")
    _check_subject(recorded)
    return recorded


def decode_again(raw: bytes) -> Recorded:
    """Decode an event that was judged when it was taken, by the rules of that time."""
    return _parse(orjson.loads(raw), UPCASTERS)


def _parse(attributes: Any, upcasters: Mapping[str, Upcaster]) -> Recorded:
    known = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(known, str) or (known not in EVENTS and known not in upcasters):
        raise Undecodable("unknown_type", f"no event has the type {known!r}")
    try:
        if known not in EVENTS:
            attributes = upcast(attributes, upcasters)
        recorded: Recorded = _PARSERS[attributes["type"]](attributes)
    except ValidationError as error:
        raise Undecodable("schema_violation", describe(error)) from None
    except (AttributeError, LookupError, TypeError, ValueError) as fault:
        raise Undecodable("schema_violation", f"{known} cannot be read today: {type(fault).__name__}") from None
    return recorded


def _check_subject(recorded: Recorded) -> None:
    """Check that a stream belongs to the event's service, and that what begins it names the id that it is made of.

    Kinds that no event begins are nobody's: no service folds them.
    """
    kind, _, key = recorded.subject.partition("/")
    data = recorded.data
    owner = _OWNERS.get(kind)
    if owner is None:
        return
    if owner != data.service:
        raise Undecodable("wrong_subject", f"{kind} is a kind of stream of {owner}, not of {data.service}")
    if data.begins is not None and (kind != data.begins[0] or key != str(getattr(data, data.begins[1]))):
        raise Undecodable("wrong_subject", "the stream is not {}/<id> with the id in {}".format(*data.begins))


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
    return "; ".join(
        ": ".join(filter(None, (".".join(map(str, item["loc"])), sentence_of(item))))
        for item in error.errors(include_input=False)
    )


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

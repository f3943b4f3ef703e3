"""An event's data: a fact in the past participle, with its certainty."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from shared.events.canonical import canonical
from shared.events.values import Model, ShortText, Text, Version
from shared.events.words import Status


class Event(Model):
    """The data of an event. Subclasses name the service that publishes it and the fields that no correction changes."""

    service: ClassVar[str]
    version: ClassVar[int] = 1
    fixed: ClassVar[frozenset[str]] = frozenset()
    begins: ClassVar[tuple[str, str] | None] = None
    """The kind of stream that it begins, and the field whose value is the id of that stream: `kind/<id>`."""
    voidable: ClassVar[bool] = True
    """False of what happened outside the record and cannot be taken back: an erasure, a mail."""
    describes: ClassVar[bool] = False
    """True of what only describes its record: it keeps no record whose cause is void."""

    note: Text | None = Field(None, description="what a reader should know; never about a person")
    source: ShortText | None = Field(None, description="where the fact was read")
    status: Status | None = Field(None, description="how certain the fact is; unknown where it is not said")

    @classmethod
    def type_name(cls) -> str:
        """Return the CloudEvents type: `throughline.<service>.<EventName>.v<N>`."""
        return f"throughline.{cls.service}.{cls.__name__}.v{cls.version}"

    @classmethod
    def schema_name(cls) -> str:
        """Return the CloudEvents dataschema, which is the `$id` of the event's JSON Schema."""
        return schema_of(cls.type_name())


def schema_of(type_name: str) -> str:
    """Return the dataschema of an event type."""
    return f"urn:throughline:schema:{type_name}"


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    canonical(data)
    return data


class Correction(Event):
    """The whole new data of an earlier event of the same stream; the original stays in the history."""

    corrects: Version = Field(description="the version of the event that was wrong; never that of a correction")
    data: Annotated[dict[str, Any], AfterValidator(_plain)] = Field(
        description="that event's whole new data",
        json_schema_extra={"additionalProperties": {"type": ["array", "boolean", "integer", "object", "string"]}},
    )
    data_type: ShortText | None = Field(
        None, description="the event type that `data` is written in, by which newer code reads it"
    )
    reason: Text


class Voiding(Event):
    """An earlier event of the stream counts no more: an original, a correction, or a void; the history keeps it."""

    voids: Version = Field(description="the version of the event that counts no more")
    reason: Text = Field(description="why it should not have been recorded; never about a person")

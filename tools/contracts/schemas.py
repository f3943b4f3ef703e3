"""The JSON Schema of each event with its envelope, draft 2020-12, generated from the models that decode events."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from shared.events.catalogue import ENVELOPES, EVENTS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Published(GenerateJsonSchema):
    """A generator of schemas without nulls, because unknown members are omitted, and without field titles."""

    def generate(self, schema: CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        return {"$schema": DIALECT, **super().generate(schema, mode)}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = super().default_schema(schema)
        return {name: value for name, value in described.items() if name != "default" or value is not None}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema_of(type_name: str) -> dict[str, Any]:
    """Return the JSON Schema of an event type; its `$id` is the event's `dataschema`."""
    event = EVENTS[type_name]
    schema = ENVELOPES[type_name].model_json_schema(schema_generator=Published)
    dialect = schema.pop("$schema")
    head = {
        "$schema": dialect,
        "$id": event.schema_name(),
        "title": event.__name__,
        "description": inspect.getdoc(event),
    }
    return head | {name: value for name, value in schema.items() if name not in head}


def schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schemas of all events by type."""
    return {type_name: schema_of(type_name) for type_name in sorted(EVENTS)}

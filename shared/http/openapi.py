"""The OpenAPI document of a service, with RFC 9457 problems and an example of every command."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from shared.http.problems import MEDIA_TYPE, ProblemDetails

_STRINGS = {"media_type": "text/html"}
_REMARKS = frozenset({"note", "source", "status"})
_REF = "#/components/schemas/{model}"
_DESCRIPTIONS = {
    400: "not understood",
    401: "no valid token",
    403: "the role may not",
    404: "not on record",
    409: "out of order, or NotHeardYet (Retry-After)",
    412: "another version",
    413: "the body, or the event that it asks for, is too large",
    415: "the body is not JSON",
    422: "refused by schema or rule",
    429: "too many requests without a valid token (Retry-After)",
    503: "not now; send the same command id again (Retry-After)",
}
PROBLEMS: dict[str, dict[str, Any]] = {
    str(status): {
        "description": words,
        "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model=ProblemDetails.__name__)}}},
    }
    for status, words in _DESCRIPTIONS.items()
}


def openapi_document(app: FastAPI, root_path: str = "") -> dict[str, Any]:
    """Return the OpenAPI document of a service under the path of its front's, generated once."""
    if app.openapi_schema is None:
        servers = [{"url": root_path}] if root_path else None
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, servers=servers
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(_schemas_of(ProblemDetails))
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for operations in document["paths"].values():
            for operation in operations.values():
                _give_example(operation, schemas)
                if "security" in operation:
                    operation["responses"] |= PROBLEMS
        app.openapi_schema = document
    return app.openapi_schema


def _schemas_of(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template=_REF)
    return {**schema.pop("$defs", {}), model.__name__: schema}


def _give_example(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        content["example"] = _example(content["schema"], schemas, "body")


def _example(schema: dict[str, Any], schemas: dict[str, Any], name: str) -> Any:
    """Return an example of a schema: its required fields, by their own examples, else synthetic."""
    if "$ref" in schema:
        return _example(schemas[schema["$ref"].rpartition("/")[2]], schemas, name)
    for keyword in ("examples", "enum"):
        if keyword in schema:
            return schema[keyword][0]
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {each: _example(properties[each], schemas, each) for each in _fields_shown(schema)}
        case "array":
            return [_example(schema["items"], schemas, name)] * max(1, schema.get("minItems", 1))
        case "integer":
            return int(schema.get("minimum", 1))
        case "boolean":
            return True
        case "string":
            return _STRINGS.get(name, f"Synthetic {name.replace('_', ' ')}")
        case _:
            return _example(schema["anyOf"][0], schemas, name)


def _fields_shown(schema: dict[str, Any]) -> list[str]:
    """Return an object's required fields; without any, its first field that is not a remark."""
    required: list[str] = schema.get("required", [])
    own = [name for name in schema.get("properties", {}) if name not in _REMARKS]
    return required or own[:1]

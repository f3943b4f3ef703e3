"""The possible and the actual members of events, as paths such as `data.renditions.digest`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel


def offered(model: type[BaseModel], prefix: str = "") -> set[str]:
    """Return the paths of all fields of a model and of the models within it."""
    paths: set[str] = set()
    for name, field in model.model_fields.items():
        paths.add(prefix + name)
        for inner in _models(field.annotation):
            paths |= offered(inner, f"{prefix}{name}.")
    return paths


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def filled(value: Any, prefix: str = "") -> Iterator[str]:
    """Yield the path of every member of a JSON value; the items of an array share their array's path."""
    match value:
        case dict():
            for name, member in value.items():
                yield prefix + name
                yield from filled(member, f"{prefix}{name}.")
        case list():
            for item in value:
                yield from filled(item, prefix)

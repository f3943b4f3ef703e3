"""Whether a value is of a kind."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError


def accepts(kind: Any, value: Any) -> bool:
    """Say whether a value is of that kind, as it is: what is taken is not changed."""
    try:
        taken = TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    assert (taken, type(taken)) == (value, type(value))
    return True

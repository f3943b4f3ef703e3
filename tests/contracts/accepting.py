"""Acceptance of values by types."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError


def accepts(kind: Any, value: Any) -> bool:
    """Return True if a type accepts a value and leaves it unchanged."""
    try:
        accepted = TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    assert (accepted, type(accepted)) == (value, type(value))
    return True

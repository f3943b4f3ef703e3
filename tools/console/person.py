"""The person signed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Person:
    """The person signed in, as the services know them, and the token that they get."""

    token: str
    name: str
    actor: str
    role: str
    member: str | None = None
    expert: str | None = None


def person_of(session: Mapping[str, Any]) -> Person | None:
    """Return the person whom a session names, or None."""
    return Person(**session["person"]) if "person" in session else None

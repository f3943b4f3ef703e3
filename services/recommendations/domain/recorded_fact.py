"""A fact of a stream with the versions behind it."""

from __future__ import annotations

from functools import cache
from typing import Generic, TypeVar

from shared.domain.aggregate import Fact
from shared.events.event import Event
from shared.events.values import Model

E = TypeVar("E", bound=Event, covariant=True)


class RecordedFact(Model, Generic[E]):
    """What an event says, as corrected; `versions` are the event and the correction that replaced its data."""

    data: E
    versions: tuple[int, ...]


def said(fact: Fact, kind: type[E]) -> RecordedFact[E]:
    """Return the fact as something said; `kind` is its event's class."""
    return _said(kind)(data=fact.data, versions=fact.versions)


@cache
def _said(kind: type[E]) -> type[RecordedFact[E]]:
    return RecordedFact[kind]  # type: ignore[valid-type]

"""A fact of a stream with the versions behind it."""

from __future__ import annotations

from functools import cache
from typing import Generic, TypeVar

from shared.domain.facts import Fact
from shared.events.event import Event
from shared.events.values import Model

E = TypeVar("E", bound=Event, covariant=True)


class RecordedFact(Model, Generic[E]):
    """The data of an event, as corrected; `versions` are the event and the correction that replaced its data."""

    data: E
    versions: tuple[int, ...]


def recorded_fact(fact: Fact, kind: type[E]) -> RecordedFact[E]:
    """Return a fact with its versions; `kind` is its event's class."""
    return _class_of(kind)(data=fact.data, versions=fact.versions)


@cache
def _class_of(kind: type[E]) -> type[RecordedFact[E]]:
    return RecordedFact[kind]  # type: ignore[valid-type]

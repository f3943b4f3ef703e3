"""Facts: the events of a stream as they count, with corrected data and without those that are void."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import NamedTuple

from shared.domain.voids import Void, void_state, voids_of
from shared.events.catalogue import EVENTS, Recorded
from shared.events.event import Correction, Event, Voiding
from shared.events.upcasters import UPCASTERS, Upcaster, upcast


class Fact(NamedTuple):
    """An event as folded: its data, corrected, and the versions behind it (original, then correction)."""

    data: Event
    stream: str
    versions: tuple[int, ...]
    time: str
    actor: str
    role: str
    event_id: str


def folds_again(recorded: Iterable[Recorded]) -> bool:
    """Tell whether a stream with these next events is folded again from version 1: live, replayed, for a command."""
    return any(type(event.data) in _REFOLDS for event in recorded)


_REFOLDS = frozenset(event for event in EVENTS.values() if issubclass(event, Correction | Voiding))


def facts_of(recorded: Iterable[Recorded], upcasters: Mapping[str, Upcaster] = UPCASTERS) -> list[Fact]:
    """Return a stream's events as facts: as corrected, and without those that are void."""
    events = list(recorded)
    facts = _originals(events)
    if len(facts) == len(events):
        return facts
    voids = voids_of(events)
    corrected = _corrections(events, voids.keys(), upcasters)
    return [_as_corrected(fact, corrected) for fact in facts if fact.versions[0] not in voids]


def void_facts_of(recorded: Iterable[Recorded], upcasters: Mapping[str, Upcaster] = UPCASTERS) -> list[Fact]:
    """Return a stream's facts that are void, as corrected; the last of their versions is that of the void."""
    events = list(recorded)
    voids = voids_of(events)
    corrected = _corrections(events, voids.keys(), upcasters)
    facts = [_as_corrected(fact, corrected) for fact in _originals(events) if fact.versions[0] in voids]
    return [fact._replace(versions=(*fact.versions, voids[fact.versions[0]].streamversion)) for fact in facts]


def _originals(events: Iterable[Recorded]) -> list[Fact]:
    return [
        Fact(e.data, e.subject, (e.streamversion,), e.time, e.actor, e.role, e.id)
        for e in events
        if type(e.data) not in _REFOLDS
    ]


Corrected = Mapping[int, tuple[Event, int]]


def _corrections(events: Iterable[Recorded], voids: Set[int], upcasters: Mapping[str, Upcaster]) -> Corrected:
    """Return the data of corrected versions, and the correction's version: the latest that fits and is not void."""
    originals = {event.streamversion: event for event in events if type(event.data) not in _REFOLDS}
    corrected: dict[int, tuple[Event, int]] = {}
    for event in events:
        if isinstance(event.data, Correction) and event.streamversion not in voids:
            original = originals.get(event.data.corrects)
            if original is not None and original.streamversion < event.streamversion:
                data = _corrected(original, event.data, upcasters)
                if data is not None:
                    corrected[event.data.corrects] = data, event.streamversion
    return corrected


def _as_corrected(fact: Fact, corrected: Corrected) -> Fact:
    version = fact.versions[0]
    if version not in corrected:
        return fact
    data, correction = corrected[version]
    return fact._replace(data=data, versions=(version, correction))


def void_stream(events: Sequence[Recorded]) -> Void | None:
    """Return the state of a stream whose version 1 is void; None for any other."""
    if not folds_again(events) or 1 not in (voids := voids_of(events)):
        return None
    first = next((fact for fact in void_facts_of(events) if fact.versions[0] == 1), None)
    return void_state(first.data, first.versions, voids[1].data) if first is not None else None


def _corrected(original: Recorded, correction: Correction, upcasters: Mapping[str, Upcaster]) -> Event | None:
    """Return the corrected data, or None where it does not fit: a fold never refuses history."""
    corrected = {"type": correction.data_type or original.type, "data": correction.data}
    try:
        return EVENTS[original.type].model_validate(upcast(corrected, upcasters)["data"])
    except (AttributeError, LookupError, TypeError, ValueError):
        return None

"""Voids: the events of a stream that count no more, and the state of a stream whose first event is one of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import chain
from typing import Any, Literal, TypeAlias

from shared.domain.correction_rules import RecordedAnew
from shared.events.catalogue import Recorded
from shared.events.event import Event, Voiding
from shared.events.values import Model

Once: TypeAlias = tuple[Hashable, int]


class Void(Model):
    """A stream that should not have been recorded: its version 1 is void, and its id is not free again.

    `recorded` is the data of version 1, as corrected; `versions` are that version, its correction, and the void.
    """

    stage: Literal["void"] = "void"
    reason: str
    source: str | None = None
    note: str | None = None
    status: str | None = None
    event: str
    recorded: dict[str, Any]
    versions: tuple[int, ...]

    @property
    def member(self) -> str | None:
        """The member of ESCAP that the record was of, where it was of one."""
        return self.recorded.get("member")


def voids_of(events: Sequence[Recorded]) -> dict[int, Recorded]:
    """Return the versions of a stream that are void, each with the void that makes it so.

    Of several voids of one event the last one counts, and where that one is void, the event holds.
    """
    last: dict[int, Recorded] = {}
    for event in events:
        if isinstance(event.data, Voiding) and event.data.voids < event.streamversion:
            last[event.data.voids] = event
    voids: dict[int, Recorded] = {}
    for version in sorted(last, reverse=True):
        if last[version].streamversion not in voids:
            voids[version] = last[version]
    return voids


def holding(events: Sequence[Recorded]) -> list[Recorded]:
    """Return the events of a stream that hold: of a void record, its voids alone."""
    voids = voids_of(events)
    return [
        event
        for event in events
        if event.streamversion not in voids and (1 not in voids or isinstance(event.data, Voiding))
    ]


def without_voids_of_all(events: Iterable[Recorded]) -> list[Recorded]:
    """Return a stream's events as if its version 1 were not void: what a void record says once it holds again."""
    return [event for event in events if not (isinstance(event.data, Voiding) and event.data.voids == 1)]


def recorded_anew(
    before: Iterable[Once], after: Iterable[Once], then: Iterable[int], stream: str
) -> RecordedAnew | None:
    """Return the refusal of a void that lets a version hold again beside another that records the same.

    `before` and `after` are what the stream may record once, without and with the void, each with its version.
    """
    was, now = _versions_by_key(before), _versions_by_key(after)
    again = {*chain(*now.values())} - {*chain(*was.values())} | {*then}
    for key, versions in now.items():
        version = next((each for each in versions if each in again), None)
        if version is not None and len(versions) > max(len(was.get(key, ())), 1):
            return RecordedAnew(stream, version, next(each for each in reversed(versions) if each != version))
    return None


def _versions_by_key(singles: Iterable[Once]) -> dict[Hashable, list[int]]:
    versions: dict[Hashable, list[int]] = {}
    for key, version in singles:
        versions.setdefault(key, []).append(version)
    return versions


def void_state(first: Event, versions: tuple[int, ...], void: Event) -> Void:
    """Return the state of a stream whose first event, as corrected, is void."""
    return Void(
        reason=getattr(void, "reason", ""),
        source=void.source,
        note=void.note,
        status=void.status,
        event=type(first).__name__,
        recorded=first.model_dump(mode="json", exclude_none=True),
        versions=versions,
    )

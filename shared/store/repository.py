"""A service's own streams as its decisions see them: folded, remembered, and made sure of at every look."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.aggregate import Aggregate
from shared.events.event import Correction
from shared.store.event_store import Commit, EventStore, Head, head_of

MOST = 1_000


@dataclass(frozen=True)
class LoadedState:
    """Where a stream ends, and what it amounts to there."""

    head: Head
    state: Any


class AggregateRepository:
    """The streams of one service.

    What is remembered is taken only where the store still ends the stream with the same commit, byte for byte: another
    instance may have appended, and a database may have been restored from a backup.
    """

    def __init__(self, store: EventStore, aggregates: Mapping[str, Aggregate[Any]]) -> None:
        self._store = store
        self._aggregates = aggregates
        self._remembered: OrderedDict[str, LoadedState] = OrderedDict()

    async def at(self, stream: str) -> LoadedState:
        """Return how a stream stands in the store; an unknown one is at version 0."""
        known = self._remembered.get(stream)
        if known is not None and await self._store.ends_at(known.head):
            return known
        head, recorded = await self._store.read(stream)
        found = LoadedState(head, self._aggregate_of(stream).fold(recorded))
        self._remember(found)
        return found

    def after_commit(self, before: LoadedState, commit: Commit) -> None:
        """Remember how a stream stands after a commit that followed `before`."""
        added = commit.recorded
        if commit.replayed or any(isinstance(event.data, Correction) for event in added):
            self._remembered.pop(commit.stream, None)
            return
        state = self._aggregate_of(commit.stream).fold(added, before.state if before.head.version else None)
        self._remember(LoadedState(head_of(commit, added[-1].time), state))

    def _remember(self, standing: LoadedState) -> None:
        if not standing.head.version:
            return
        self._remembered[standing.head.stream] = standing
        self._remembered.move_to_end(standing.head.stream)
        if len(self._remembered) > MOST:
            self._remembered.popitem(last=False)

    def _aggregate_of(self, stream: str) -> Aggregate[Any]:
        return self._aggregates[stream.partition("/")[0]]

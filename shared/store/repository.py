"""Loads a service's own streams as folded states, from a cache that is validated against the store at every load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cachetools import LRUCache

from shared.domain.aggregate import Aggregate
from shared.domain.facts import folds_again
from shared.events.envelope import hash_of
from shared.store.event_store import Commit, EventStore, Head

CACHE_SIZE = 1_000


@dataclass(frozen=True)
class LoadedState:
    """The folded state of a stream, and the head up to which it is folded."""

    head: Head
    state: Any


class AggregateRepository:
    """The aggregates of one service.

    A cached state is used only if the stream's last commit is still byte-identical: another instance may have appended,
    or an operator restored the database from a backup.
    """

    def __init__(self, store: EventStore, aggregates: Mapping[str, Aggregate[Any]]) -> None:
        self._store = store
        self._aggregates = aggregates
        self._cache: LRUCache[str, LoadedState] = LRUCache(CACHE_SIZE)

    async def load(self, stream: str) -> LoadedState:
        """Return a stream's state as stored; an unknown stream is at version 0."""
        cached = self._cache.get(stream)
        if cached is not None and await self._store.ends_at(cached.head):
            return cached
        head, recorded = await self._store.read(stream)
        loaded = LoadedState(head, self._aggregate_of(stream).fold(recorded))
        if head.version:
            self._cache[stream] = loaded
        return loaded

    def after_commit(self, before: LoadedState, commit: Commit) -> None:
        """Cache the state of a stream after a commit that followed `before`; drop it where it must be folded again."""
        added = commit.recorded
        if commit.replayed or folds_again(added):
            self._cache.pop(commit.stream, None)
            return
        state = self._aggregate_of(commit.stream).fold(added, before.state if before.head.version else None)
        self._cache[commit.stream] = LoadedState(_head_after(before.head, commit), state)

    def _aggregate_of(self, stream: str) -> Aggregate[Any]:
        return self._aggregates[stream.partition("/")[0]]


def _head_after(before: Head, commit: Commit) -> Head:
    """Return the head of a stream that ends with this commit."""
    size = before.size + sum(map(len, commit.events))
    return Head(commit.stream, commit.last, hash_of(commit.events[-1]), commit.recorded[-1].time, commit.first, size)

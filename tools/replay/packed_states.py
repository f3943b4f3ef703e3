"""Folded streams in little memory: each packed into bytes, the latest read also unpacked in an LRU cache."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from operator import attrgetter
from typing import NamedTuple

from cachetools import LRUCache, cachedmethod

from services.recommendations.projection import AGGREGATES
from shared.projection.fold import UNFOLDED, FoldedState

_CACHE_BYTES = 50_000_000
_UNPACKED_PER_PACKED = 8
"""How many times larger a state is as objects than as JSON."""


class PackedState(NamedTuple):
    """A folded stream: the state as JSON, and the hash of its latest event."""

    state: bytes
    version: int
    depends_on: tuple[str, ...]
    hash: bytes


def pack(folded: FoldedState) -> PackedState:
    """Pack a folded stream."""
    aggregate = AGGREGATES[folded.stream.partition("/")[0]]
    return PackedState(
        state=aggregate.states.dump_json(folded.state, exclude_none=True),
        version=folded.version,
        depends_on=tuple(sorted(folded.depends_on)),
        hash=bytes.fromhex(folded.hash),
    )


class PackedStates(Mapping[str, FoldedState]):
    """Folded streams by name, unpacked on read; a stream that the history lacks has its initial state."""

    def __init__(self, packed: Mapping[str, PackedState]) -> None:
        self._packed = packed
        self._cache: LRUCache[object, FoldedState] = LRUCache(_CACHE_BYTES, partial(_size, packed))

    @cachedmethod(attrgetter("_cache"))
    def __getitem__(self, stream: str) -> FoldedState:
        aggregate = AGGREGATES.get(stream.partition("/")[0], UNFOLDED)
        packed = self._packed.get(stream)
        if packed is None:
            return FoldedState(stream, aggregate.initial)
        return FoldedState(
            stream=stream,
            state=aggregate.states.validate_json(packed.state),
            version=packed.version,
            depends_on=frozenset(packed.depends_on),
            hash=packed.hash.hex(),
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


def _size(packed: Mapping[str, PackedState], folded: FoldedState) -> int:
    """Estimate the bytes of an unpacked stream."""
    state = packed.get(folded.stream)
    return _UNPACKED_PER_PACKED * len(state.state) + 500 if state else 500

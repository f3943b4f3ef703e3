"""A cache of folded states, by the size of what is stored of them."""

from __future__ import annotations

from cachetools import LRUCache

from shared.projection.fold import FoldedState


class StateCache:
    """The states that were read or written last, up to a size in characters of their stored JSON.

    A reader must check the revision of a cached state in the database: another instance may have stored a newer one.
    """

    def __init__(self, characters: int) -> None:
        self._states: LRUCache[str, tuple[FoldedState, int]] = LRUCache(characters, getsizeof=lambda entry: entry[1])

    def get(self, stream: str) -> FoldedState | None:
        """Return the cached state of a stream."""
        entry = self._states.get(stream)
        return entry[0] if entry else None

    def put(self, folded: FoldedState, characters: int) -> None:
        """Cache a state, unless it is larger than the whole cache."""
        if characters <= self._states.maxsize:
            self._states[folded.stream] = folded, characters
        else:
            self._states.pop(folded.stream, None)

    def raise_policy_version(self, stream: str, hash_: str, version: int) -> None:
        """Raise the policy version of a cached state, if it has this hash."""
        if (entry := self._states.get(stream)) is not None and entry[0].hash == hash_:
            folded, characters = entry
            self.put(folded._replace(policy_version=max(folded.policy_version, version)), characters)

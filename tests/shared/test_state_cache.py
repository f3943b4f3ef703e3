"""The cache of states: bounded by size, the least recently used go first."""

from __future__ import annotations

from shared.events.canonical import ZERO_HASH
from shared.projection.fold import FoldedState
from shared.projection.state_cache import StateCache


def test_the_least_recently_used_state_leaves_the_cache_first() -> None:
    cache = StateCache(10)
    cache.put(FoldedState("a", None), 4)
    cache.put(FoldedState("b", None), 4)
    assert cache.get("a") is not None
    cache.put(FoldedState("c", None), 4)
    assert [cache.get(stream) is not None for stream in "abc"] == [True, False, True]


def test_a_state_larger_than_the_cache_is_not_cached_and_replaces_no_other() -> None:
    cache = StateCache(10)
    cache.put(FoldedState("a", None, version=1), 4)
    cache.put(FoldedState("b", None), 4)
    cache.put(FoldedState("a", None, version=2), 11)
    assert cache.get("a") is None
    assert cache.get("b") is not None


def test_the_policy_version_of_a_cached_state_never_falls() -> None:
    cache = StateCache(10)
    cache.put(FoldedState("a", None, policy_version=2), 4)
    for version, expected in ((5, 5), (3, 5)):
        cache.raise_policy_version("a", ZERO_HASH, version)
        state = cache.get("a")
        assert state is not None
        assert state.policy_version == expected
    cache.raise_policy_version("a", "another hash", 9)
    assert cache.get("a") == state
    cache.raise_policy_version("unknown", ZERO_HASH, 1)
    assert cache.get("unknown") is None

"""Circles: streams that lead back to where they began."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def leads_back(start: str, first: str, later: Mapping[str, Iterable[str]]) -> bool:
    """Tell whether a stream leads to the start, through the later ones of each stream."""
    reached: set[str] = set()
    waiting = [first]
    while waiting:
        stream = waiting.pop()
        if stream == start:
            return True
        if stream not in reached:
            reached.add(stream)
            waiting += later.get(stream, ())
    return False

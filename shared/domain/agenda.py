"""The order of an agenda: where an item is inserted, and how all are ordered anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def inserted(items: tuple[T, ...], item: T, before: str | None, id_of: Callable[[T], str]) -> tuple[T, ...]:
    """Return the items with one more, before the item of that id; at the end where there is none."""
    place = next((place for place, each in enumerate(items) if id_of(each) == before), len(items))
    return (*items[:place], item, *items[place:])


def ordered(items: tuple[T, ...], order: Sequence[str], id_of: Callable[[T], str]) -> tuple[T, ...]:
    """Return the items in the order of these ids; those that it does not name stay behind them, in their order."""
    places = {each: place for place, each in enumerate(order)}
    return tuple(sorted(items, key=lambda item: places.get(id_of(item), len(places))))

"""Chunks of an iterable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def chunked(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of up to `size` items, in order; `itertools.batched` of Python 3.12."""
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        yield chunk

"""Chunks hold all items, in order, and no more than their size."""

from __future__ import annotations

import pytest

from shared.domain.chunks import chunked


@pytest.mark.parametrize(
    ("count", "chunks"), [(0, []), (1, [[0]]), (3, [[0, 1, 2]]), (4, [[0, 1, 2], [3]]), (6, [[0, 1, 2], [3, 4, 5]])]
)
def test_chunks_hold_all_items_in_order(count: int, chunks: list[list[int]]) -> None:
    assert list(chunked(iter(range(count)), 3)) == chunks

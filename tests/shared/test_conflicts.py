"""The choice among several events for one version: the chain of hashes tells, or nobody."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import pytest

from shared.projection.conflicts import choose

BEFORE, OTHER = "0" * 64, "f" * 64


def an_event(name: str, previous: str) -> Any:
    return SimpleNamespace(hash=name, recorded=SimpleNamespace(previoushash=previous))


TRUE, FORGED, BROKEN = an_event("true", BEFORE), an_event("forged", BEFORE), an_event("broken", OTHER)


@pytest.mark.parametrize(
    ("candidates", "previous", "following", "chosen"),
    [
        ([TRUE], BEFORE, set(), TRUE),
        ([BROKEN], BEFORE, {"broken"}, None),
        ([TRUE, BROKEN], BEFORE, set(), TRUE),
        ([TRUE, BROKEN], BEFORE, {"broken"}, TRUE),
        ([TRUE, FORGED], BEFORE, set(), None),
        ([TRUE, FORGED], BEFORE, {"true"}, TRUE),
        ([TRUE, FORGED], BEFORE, {"another"}, None),
        ([TRUE, FORGED], BEFORE, {"true", "forged"}, None),
        ([TRUE, FORGED, BROKEN], BEFORE, {"true", "broken"}, TRUE),
        ([TRUE, BROKEN], None, set(), None),
        ([TRUE, BROKEN], None, {"true"}, TRUE),
        ([], BEFORE, {"true"}, None),
    ],
)
def test_the_chain_chooses_in_whatever_order_the_candidates_come(
    candidates: list[Any], previous: str | None, following: set[str], chosen: Any
) -> None:
    for order in itertools.permutations(candidates):
        assert choose(order, previous, following) is chosen

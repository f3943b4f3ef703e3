"""A state that another version of this code stored is folded from the journal, as far as that can be read here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from services.recommendations.projection import AGGREGATES
from shared.consumer.record import ConsumedEvent
from shared.projection.journal import Journal
from shared.projection.state_store import StateStore
from tests.shared.test_partial_folds import EVENTS, STREAM

STORED = {
    "_id": STREAM,
    "state": "{}",
    "version": len(EVENTS),
    "hash": EVENTS[-1].hash,
    "acted": len(EVENTS),
    "revision": 7,
    "shape": 2,
}


class Rows:
    """Rows of one document."""

    async def __aiter__(self) -> Any:
        yield STORED


@pytest.mark.parametrize(
    ("readable", "version", "policies"),
    [
        (EVENTS, 12, 12),
        (EVENTS[:-1], 11, 11),
        (EVENTS[:-2], 10, 10),
        ([*EVENTS[:3], *EVENTS[4:]], 3, 12),
        ([*EVENTS[:-1], EVENTS[-1]._replace(hash="0" * 64)], 0, 12),
        ([], 0, 0),
    ],
    ids=["all", "not the last", "not the last two", "not the fourth", "another last", "none"],
)
async def test_a_state_of_another_version_is_read_as_far_as_the_journal_can_be_read(
    readable: Sequence[ConsumedEvent], version: int, policies: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def after(_journal: Journal, _versions: Mapping[str, int]) -> dict[str, list[ConsumedEvent]]:
        return {STREAM: list(readable)}

    monkeypatch.setattr(Journal, "after", after)
    database = MagicMock()
    database.get_collection.return_value = SimpleNamespace(find=lambda *_: Rows())
    folded = (await StateStore(database, AGGREGATES, 1).read([STREAM]))[STREAM]
    assert (folded.version, folded.policy_version, folded.revision) == (version, policies, 7)

"""Coverage by provision: those that a recommendation cites, and those that none does, from stores in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

import pytest

from services.recommendations.domain.instrument import INSTRUMENT
from services.recommendations.queries.coverage import coverage_of_provisions
from shared.events.recommendations import InstrumentRegistered, ProvisionRegistered
from shared.projection.fold import FoldedState
from tests.given import given

STANDINGS = {"i1/a": ["live"], "i2/a": ["uncited"], "i4/a": ["void", "suspect"]}
"""The standings of citations by provision; i1/b, i3/a and those of i10 are named by none, and i5 has none."""


def an_instrument(key: str, *items: str) -> FoldedState:
    registered = InstrumentRegistered(instrument=key, cite=f"Synthetic {key}", body="SYN", title="Synthetic")
    provisions = [ProvisionRegistered(provision=f"{key}/{item}", summary="Synthetic") for item in items]
    stream = f"instrument/{key}"
    return FoldedState(stream, given(INSTRUMENT, stream, registered, *provisions).state, 1 + len(items))


INSTRUMENTS = {
    each.stream: each
    for each in (
        an_instrument("i1", "a", "b"), an_instrument("i2", "a"), an_instrument("i3", "a"), an_instrument("i4", "a"),
        an_instrument("i5"), an_instrument("i10", "a", "b"),
    )
}  # fmt: skip


class States:
    """The states of the instruments above, and no initiative."""

    async def listed(self, _kind: str, facets: Mapping[str, Any], limit: int, after: str | None) -> list[FoldedState]:
        streams = [stream for stream, each in INSTRUMENTS.items() if each.state.provisions or not facets]
        return [INSTRUMENTS[stream] for stream in streams[streams.index(after) + 1 if after else 0 :][:limit]]

    async def read(self, streams: Iterable[str]) -> dict[str, FoldedState]:
        return {stream: INSTRUMENTS[stream] for stream in streams}

    async def find(self, *_: Any) -> list[FoldedState]:
        return []


class Traces:
    """A recommendation for each standing above."""

    async def citing(self, provisions: Iterable[str], _query: Mapping[str, Any]) -> list[dict[str, Any]]:
        named = [(provision, each) for provision in provisions for each in STANDINGS.get(provision, ())]
        return [
            {"_id": "SYN/2031/R1", "mandates": [{"instrument": key[:2], "provision": key, "standing": standing}]}
            for key, standing in named
        ]

    async def instruments(self, _query: Mapping[str, Any]) -> list[str]:
        return ["i4", "i2", "i1"]


async def pages(cited: Any, limit: int) -> list[list[str]]:
    """Return the provisions of each page."""
    every: list[list[str]] = []
    after: str | None = None
    while True:
        page = await coverage_of_provisions(cast("Any", States()), cast("Any", Traces()), {}, limit, after, cited)
        every.append([row["provision"] for row in page["items"]])
        after = page.get("next")
        if after is None:
            return every


@pytest.mark.parametrize(
    ("cited", "limit", "expected"),
    [
        (None, 6, [["i1/a", "i1/b", "i2/a", "i3/a", "i4/a", "i10/a", "i10/b"], []]),
        ("yes", 100, [["i1/a", "i4/a"]]),
        ("yes", 1, [["i1/a"], ["i4/a"], []]),
        ("no", 100, [["i1/b", "i2/a", "i3/a", "i10/a", "i10/b"]]),
        ("no", 2, [["i1/b", "i2/a"], ["i3/a"], ["i10/a", "i10/b"]]),
    ],
)
async def test_provisions_are_filtered_by_whether_a_recommendation_cites_them(
    cited: str | None, limit: int, expected: list[list[str]]
) -> None:
    assert await pages(cited, limit) == expected


async def test_only_the_last_page_may_be_empty() -> None:
    for cited in ("yes", "no"):
        for limit in range(1, 8):
            assert all((await pages(cited, limit))[:-1]), (cited, limit)

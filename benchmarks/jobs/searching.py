"""Search in a register of a size that the platform may reach; its ceiling is the reading of as many states by id."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from more_itertools import chunked
from motor.motor_asyncio import AsyncIOMotorClient

from benchmarks.job import Gate
from services.recommendations.app import INDEXES
from services.recommendations.domain import instrument, state
from services.recommendations.domain.recorded_fact import RecordedFact
from services.recommendations.projection import AGGREGATES, OWN, STATES_SHAPE
from shared.domain.search import query_of
from shared.events.recommendations import InstrumentRegistered, ProvisionRegistered, RecommendationDrafted
from shared.projection.fold import FoldedState
from shared.projection.state_search import StateSearch
from shared.projection.state_store import StateStore
from shared.store.indexes import ensure

INSTRUMENTS, PROVISIONS, RECOMMENDATIONS = 3_000, 30, 2_000
CHARACTERS = 300
PAGE = 50
TURNS = 15
_WORDS = 8_000
_SYLLABLES = ("ba", "de", "ki", "lo", "mu", "na", "re", "si", "to", "vu", "wa", "ze", "shi", "pra", "gon", "tel")


async def storing(gate: Gate, mongodb: str, database: str, terms: bool) -> dict[str, Any]:
    """Store the register, with the terms of search or without."""
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(mongodb)
    plain = {kind: replace(aggregate, searched=None) for kind, aggregate in AGGREGATES.items()}
    indexes = [index for index in INDEXES["states"] if terms or index.document["name"] != "terms"]
    await ensure(client[database], {"states": indexes})
    states = StateStore(client[database], AGGREGATES if terms else plain, STATES_SHAPE)
    filled = list(_states(random.Random(17), vocabulary()))  # noqa: S311
    await gate.go()
    begun = time.perf_counter()
    for chunk in chunked(filled, 500):
        await states.write(chunk)
    seconds = time.perf_counter() - begun
    events = sum(folded.version for folded in filled)
    stats = await client[database].command("collStats", "states")
    sizes = {"bytes": stats["size"], "states": stats["count"], "index": stats["indexSizes"].get("terms", 0)}
    return {"count": events, "seconds": seconds, **sizes}


async def searching(gate: Gate, mongodb: str, database: str) -> dict[str, Any]:
    """Search in the register; the ceiling is the reading of as many states by id as a page has matches."""
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(mongodb)
    states = StateStore(client[database], AGGREGATES, STATES_SHAPE)
    search, visible = StateSearch(client[database], states), [{"kind": kind} for kind in OWN]
    chance = random.Random(17)  # noqa: S311
    ids = [f"instrument/syn-{number}" for number in chance.sample(range(INSTRUMENTS), PAGE)]
    await gate.go()
    times, matches = {}, {}
    for name, text in _queries(vocabulary()).items():
        query = query_of(text)
        times[name] = await _median(partial(search.find, query, visible, PAGE))
        matches[name] = len(await search.find(query, visible, PAGE))
    ceiling = await _median(lambda: client[database].states.find({"_id": {"$in": ids}}).to_list(None))
    return {"times": times, "matches": matches, "ceiling": ceiling}


def vocabulary() -> list[str]:
    """Return made-up words, the shortest first."""
    return _vocabulary(random.Random(17))  # noqa: S311


def _vocabulary(chance: random.Random) -> list[str]:
    words = {"".join(chance.choices(_SYLLABLES, k=chance.randint(1, 4))) for _ in range(2 * _WORDS)}
    return sorted(words, key=lambda word: (len(word), word))[:_WORDS]


def _text(chance: random.Random, words: list[str]) -> str:
    """Return a text whose words are as unequally common as those of a language."""
    chosen: list[str] = []
    while sum(map(len, chosen)) + len(chosen) < CHARACTERS:
        chosen.append(words[min(int(chance.paretovariate(0.6)) - 1, len(words) - 1)])
    return " ".join(chosen)


def _states(chance: random.Random, words: list[str]) -> Iterator[FoldedState]:
    for number in range(INSTRUMENTS):
        registered = InstrumentRegistered(
            instrument=f"syn-{number}", cite=f"Synthetic resolution {number // 50}/{number % 50}", body="SYN",
            title=f"Synthetic {_text(chance, words)[:80]}", symbol=f"SYN/RES/{number // 50}/{number % 50}",
        )  # fmt: skip
        provisions = tuple(
            _fact(ProvisionRegistered(provision=f"syn-{number}/op-{each}", summary=_text(chance, words)), each + 2)
            for each in range(PROVISIONS)
        )
        held = instrument.Registered(registered=_fact(registered, 1), provisions=provisions)
        yield FoldedState(f"instrument/syn-{number}", held, version=PROVISIONS + 1)
    for number in range(1, RECOMMENDATIONS + 1):
        drafted = RecommendationDrafted(
            reference=f"SYN/2031/R{number}", title=f"Synthetic {_text(chance, words)[:80]}", text=_text(chance, words)
        )
        yield FoldedState(f"recommendation/{drafted.reference}", state.Drafted(drafted=_fact(drafted, 1)), version=1)


def _fact(data: Any, version: int) -> Any:
    return RecordedFact[type(data)](data=data, versions=(version,))  # type: ignore[misc, operator]


def _queries(words: list[str]) -> dict[str, str]:
    common, second, rare = words[0], words[2], words[6_000]
    return {
        "common word": f"{common} {common}",
        "two words": f"{second} {words[40]}",
        "two that rarely meet": f"{words[300]} {words[500]}",
        "rare word": rare,
        "beginning": words[4_000][:4],
        "short beginning": words[4_000][:2],
        "symbol": "SYN/RES/12/7",
        "beginning of a symbol": "SYN/RES/1",
        "reference": "SYN/2031/R77",
        "no match": "xylophone quartz",
    }


async def _median(work: Callable[[], Awaitable[Any]]) -> float:
    await work()
    times = []
    for _ in range(TURNS):
        begun = time.perf_counter()
        await work()
        times.append(1_000 * (time.perf_counter() - begun))
    return statistics.median(times)

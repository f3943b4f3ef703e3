"""The waiting matters of this service, read from its folded states."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.nominations.domain.waiting import OF_CALLS, OF_NOMINATIONS, of_call, of_nomination
from shared.domain.waiting import Waiting
from shared.projection.facet_groups import count_groups
from shared.projection.fold import FoldedState
from shared.projection.state_query import known_states
from shared.projection.state_store import StateStore


async def waiting(states: StateStore, kinds: Sequence[str]) -> list[Waiting]:
    """Return what waits, of some kinds."""
    return [*await _nominations(states, kinds), *await _calls(states, kinds)]


async def _nominations(states: StateStore, kinds: Sequence[str]) -> Iterable[Waiting]:
    stages = [stage for kind, stage in OF_NOMINATIONS.items() if kind in kinds]
    if not stages:
        return []
    rows = await states.find("nomination", {"stage": {"$in": stages}}, 0)
    calls = await states.read({_call_of(each) for each in rows})
    return [matter for each in rows for matter in of_nomination(each.state, calls[_call_of(each)].state)]


def _call_of(nomination: FoldedState) -> str:
    """Return the stream of a nomination's call; one that is never on record where it answers none."""
    return f"call/{nomination.state.particulars.call or ''}"


async def _calls(states: StateStore, kinds: Sequence[str]) -> Iterable[Waiting]:
    if not {*OF_CALLS} & {*kinds}:
        return []
    answered: dict[str, set[str]] = {}
    query = known_states("nomination", {"stage": {"$ne": "void"}, "call": {"$exists": True}})
    for group in await count_groups(states.database, query, ("facets.call", "facets.member"), of="facets.submitted"):
        call, member = group.key
        answered.setdefault(f"call/{call}", set()).add(member)
    rows = await states.find("call", {"stage": "open"}, 0)
    return [
        matter
        for each in rows
        for matter in of_call(each.state, answered.get(each.stream, set()))
        if matter.kind in kinds
    ]

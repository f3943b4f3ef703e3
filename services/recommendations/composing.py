"""The traces of recommendations, composed of the folded states of this service; in words why, where one cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from services.recommendations.domain.recommendation import RECOMMENDATION
from services.recommendations.domain.registers import INITIATIVE
from services.recommendations.trace import compose, needs
from services.recommendations.trace.initiatives import ByProvision, by_provision, cited
from shared.projection.fold import FoldedState
from shared.projection.partial_fold import fault_of
from shared.projection.state_document import SMALL_VERSIONS, check_size
from shared.projection.state_store import StateStore

TRACES_BEFORE_YIELD = 5
TRACE_LIMIT = 16 * 2**20 - 2**14
"""The most bytes of a trace: MongoDB's limit, less `_id`, `order` and `revision`."""


async def composed(
    references: Iterable[str], states: Mapping[str, FoldedState], initiatives: ByProvision
) -> dict[str, dict[str, Any]]:
    """Return traces by reference, or the fault of each; yield to the event loop between a few."""
    traces = {}
    for number, reference in enumerate(references):
        if number % TRACES_BEFORE_YIELD == 0:
            await asyncio.sleep(0)
        if (trace := trace_or_fault(reference, states, initiatives)) is not None:
            traces[reference] = trace
    return traces


def trace_or_fault(
    reference: str, states: Mapping[str, FoldedState], initiatives: ByProvision, as_of: date | None = None
) -> dict[str, Any] | None:
    """Compose the trace to store, live and in replay: `{"fault": …}`, in words, where that fails or is too large."""
    own = states[RECOMMENDATION.stream(reference)]
    try:
        trace = compose(reference, subset(reference, states, initiatives), as_of)
        if trace is None:
            return {"fault": own.fault} if own.fault is not None and not own.version else None
        events = sum(version for _, version, _ in trace["based_on"])
        if events > SMALL_VERSIONS:
            check_size(trace, TRACE_LIMIT, f"the trace of {events} events")
    except Exception as error:  # noqa: BLE001 - pure code: whatever it raises belongs to this trace
        return {"fault": fault_of(error)}
    return trace


async def gather(references: Sequence[str], states: StateStore) -> tuple[dict[str, FoldedState], ByProvision]:
    """Read, from the primary, every state that these traces are composed of; and the initiatives beside them.

    The recommendations are read before the initiatives are looked up: whoever stores an initiative after that looks
    its recommendations up later still, and finds them.
    """
    gathered = await states.read(map(RECOMMENDATION.stream, references))
    initiatives = await look_up_initiatives(gathered.values(), states)
    while missing := {stream for reference in references for stream in needs(reference, gathered, initiatives)}:
        gathered |= await states.read(missing)
    return gathered, by_provision(gathered.values())


async def look_up_initiatives(recommendations: Iterable[FoldedState], states: StateStore) -> ByProvision:
    """Look up the initiatives that rest on the provisions of these recommendations."""
    provisions = {provision for folded in recommendations for provision in cited(folded.state)}
    return await states.by_facet(INITIATIVE.kind, "rests_on", provisions) if provisions else {}


def subset(reference: str, states: Mapping[str, FoldedState], initiatives: ByProvision) -> dict[str, FoldedState]:
    """Return those of the states that one trace is composed of, and no others."""
    chosen: dict[str, FoldedState] = {}
    while wanted := needs(reference, chosen, initiatives):
        chosen |= {stream: states[stream] for stream in wanted}
    return chosen

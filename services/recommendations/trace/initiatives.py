"""The section `initiatives`: those that rest on the provisions that a recommendation cites.

A recommendation does not name them: they are looked up by their provisions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from itertools import chain
from typing import Any, TypeAlias

from services.recommendations.domain.provisions import as_facets
from services.recommendations.domain.registers import OnRecord, supported
from services.recommendations.domain.state import Recommendation
from services.recommendations.trace.provenance import ProvenanceTracker, certainty, known_fields
from shared.projection.fold import FoldedState

ByProvision: TypeAlias = Mapping[str, Set[str]]
"""The streams of the initiatives that rest on each provision."""
KIND = "initiative"


def by_provision(states: Iterable[FoldedState]) -> dict[str, set[str]]:
    """Return the initiatives among these states by the provisions that they rest on, void ones too."""
    streams: dict[str, set[str]] = {}
    for folded in states:
        if folded.stream.startswith(f"{KIND}/"):
            for provision in supported(folded.state):
                streams.setdefault(provision, set()).add(folded.stream)
    return streams


def cited(state: object) -> list[str]:
    """Return the provisions that a recommendation cites or has cited, as facets hold them."""
    citations = state.citations if isinstance(state, Recommendation) else ()
    return as_facets(citation.cited.data for citation in citations)


def initiatives_beside(state: object, initiatives: ByProvision) -> set[str]:
    """Return the streams of the initiatives that rest on provisions of a recommendation."""
    return set(chain.from_iterable(initiatives.get(provision, ()) for provision in cited(state)))


def initiatives(mandates: list[dict[str, Any]], tracker: ProvenanceTracker) -> list[dict[str, Any]] | None:
    """Return the initiatives that rest on the provisions of these mandates; those taken back do not count.

    An initiative has no date: as of any day it is shown as of an unknown one.
    """
    shown = {(item["instrument"], item["provision"]) for item in mandates if item["standing"] != "uncited"}
    items: list[dict[str, Any]] = []
    for stream, state in tracker.states_of(KIND):
        if not isinstance(state, OnRecord):
            continue
        data = state.recorded.data
        common = [ref.model_dump() for ref in data.provisions if (ref.instrument, ref.provision) in shown]
        if common:
            tracker.note(f"initiatives/{len(items)}", stream, state.recorded.versions)
            items.append(
                known_fields(
                    initiative=data.initiative,
                    title=data.title,
                    supporting_member=data.supporting_member,
                    provisions=common,
                    dated=tracker.window.mark(None),
                    **certainty(data),
                )
            )
    return items or None

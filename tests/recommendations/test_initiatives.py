"""Initiatives on a trace: found by the provisions that it cites, whichever was recorded first, void or corrected."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from services.recommendations.domain.recommendation import RECOMMENDATION
from services.recommendations.domain.registers import INITIATIVE
from services.recommendations.trace import trace_bytes
from shared.events import recommendations as r
from shared.events.event import Event
from shared.events.values import ProvisionRef
from tests.given import given, recorded
from tests.history import History, composed
from tests.recommendations.synthetic import (
    OWN,
    REFERENCE,
    cited,
    drafted,
    new_asks,
    new_registered,
    old_asks,
    old_registered,
)

ON_OLD = ProvisionRef(instrument="old", provision="old/ask")
ON_NEW = ProvisionRef(instrument="new", provision="new/ask")
STREAM = "initiative/n1"
UNCITED = r.MandateUncited(instrument="old", provision="old/ask", reason="Synthetic")


def an_initiative(*provisions: ProvisionRef, **fields: Any) -> r.InitiativeRegistered:
    """Return a synthetic initiative on these provisions."""
    known = {"initiative": "n1", "title": "Synthetic initiative", "supporting_member": "FJI", "provisions": provisions}
    return r.InitiativeRegistered.model_validate(known | fields)


def void(version: int) -> r.RecordVoided:
    """Return a void of a version."""
    return r.RecordVoided(voids=version, reason="Synthetic mistake")


def corrected(event: Event) -> r.RecordCorrected:
    """Return a correction of version 1."""
    return r.RecordCorrected(corrects=1, data=event.model_dump(mode="json", exclude_none=True), reason="Synthetic")


def a_trace(*initiative: Event, own: tuple[Event, ...] = (cited,)) -> dict[str, Any]:
    """Compose the trace of the synthetic recommendation beside an initiative of these events."""
    history = History()
    history.add("instrument/old", old_registered, old_asks)
    history.add("instrument/new", new_registered, new_asks)
    history.add(STREAM, *initiative)
    return composed(history.add(OWN, drafted, *own).all())[REFERENCE]


def test_an_initiative_on_a_cited_provision_is_shown_with_the_provisions_in_common():
    trace = a_trace(an_initiative(ON_NEW, ON_OLD, status="recalled", source="Synthetic list"))
    assert trace["initiatives"] == [
        {
            "initiative": "n1",
            "title": "Synthetic initiative",
            "supporting_member": "FJI",
            "provisions": [{"instrument": "old", "provision": "old/ask"}],
            "status": "recalled",
            "source": "Synthetic list",
        }
    ]
    assert [STREAM, 1] in [each[:2] for each in trace["based_on"]]
    assert trace["provenance"]["statements"]["initiatives/0"] == [f"{STREAM} 1"]


@pytest.mark.parametrize(
    ("initiative", "own"),
    [
        ((an_initiative(ON_NEW),), (cited,)),
        ((an_initiative(),), (cited,)),
        ((an_initiative(ON_OLD),), ()),
        ((an_initiative(ON_OLD),), (cited, UNCITED)),
        ((an_initiative(ON_OLD), void(1)), (cited,)),
        ((an_initiative(ON_OLD), corrected(an_initiative(ON_NEW))), (cited,)),
        ((an_initiative(ON_OLD),), (cited, void(2))),
    ],
    ids=["other provision", "none", "no citation", "uncited", "void", "corrected by older code", "void citation"],
)
def test_an_initiative_on_no_provision_that_it_cites_is_not_shown(
    initiative: tuple[Event, ...], own: tuple[Event, ...]
):
    trace = a_trace(*initiative, own=own)
    assert "initiatives" not in trace
    assert not any("void" in gap for gap in trace["gaps"])


@pytest.mark.parametrize(
    "initiative",
    [
        (an_initiative(ON_NEW), corrected(an_initiative(ON_OLD))),
        (an_initiative(ON_OLD), void(1), void(2)),
        (an_initiative(ON_OLD), corrected(an_initiative(ON_NEW)), void(2)),
    ],
    ids=["corrected by older code", "void of the void", "void correction"],
)
def test_an_initiative_holds_again(initiative: tuple[Event, ...]):
    assert [item["initiative"] for item in a_trace(*initiative)["initiatives"]] == ["n1"]


def test_a_void_initiative_is_a_version_that_the_trace_is_based_on():
    assert [STREAM, 2] in [each[:2] for each in a_trace(an_initiative(ON_OLD), void(1))["based_on"]]


def test_initiatives_are_in_the_order_of_their_ids_whatever_the_order_of_recording():
    names = ("n1", "n2", "n3")
    traces = set()
    for order in permutations(names):
        history = History().add("instrument/old", old_registered, old_asks).add(OWN, drafted, cited)
        for name in order:
            history.add(f"initiative/{name}", an_initiative(ON_OLD, initiative=name))
        trace = composed(history.all())[REFERENCE]
        traces.add(trace_bytes({"initiatives": trace["initiatives"]}))
    assert len(traces) == 1


@pytest.mark.parametrize(
    ("events", "names"),
    [
        ((an_initiative(ON_OLD),), ["old old/ask"]),
        ((an_initiative(ON_OLD, ON_OLD), void(1)), ["old old/ask"]),
        ((), []),
        ((an_initiative(),), []),
    ],
    ids=["one", "void", "absent", "on none"],
)
def test_an_initiative_is_found_by_its_provisions_void_or_not(events: tuple[Event, ...], names: list[str]):
    state = INITIATIVE.fold(recorded(STREAM, *events))
    assert INITIATIVE.facets(state)["rests_on"] == names


def test_a_recommendation_is_found_by_the_provisions_that_it_ever_cited():
    state = given(RECOMMENDATION, OWN, drafted, cited, UNCITED).state
    assert RECOMMENDATION.facets(state)["rests_on"] == ["old old/ask"]

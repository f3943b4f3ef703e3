"""Voids in a trace: the fact is gone, a void record is a state and a gap, live and replayed alike."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.recommendations.domain.instrument import INSTRUMENT
from services.recommendations.domain.mandate import was_live
from shared.domain.voids import Void
from shared.events import meetings as m
from shared.events import recommendations as r
from shared.events.event import Event
from tests.given import given
from tests.history import History, composed
from tests.recommendations.synthetic import (
    OWN,
    REFERENCE,
    a_recommendation,
    adopted,
    cited,
    drafted,
    held,
    old_asks,
    old_registered,
    third_session,
    transmitted,
)

ADOPTED = r.RecommendationAdopted(meeting="m1", adopted_on="2030-03-01", seen={"stream": "meeting/m1", "version": 1})


def void(version: int) -> r.RecordVoided:
    """Return a void of a version."""
    return r.RecordVoided(voids=version, reason="Synthetic mistake")


def a_trace(*events: Event, as_of: str | None = None, **others: tuple[Event, ...]) -> dict[str, Any] | None:
    """Compose the trace of the synthetic recommendation; further events of what it rests on are named."""
    history = History()
    history.add("instrument/old", old_registered, old_asks, *others.get("old", ()))
    history.add("session/3", third_session, *others.get("session", ()))
    history.add("meeting/m1", held, *others.get("meeting", ()))
    history.add(OWN, drafted, *events)
    return composed(history.all(), date.fromisoformat(as_of) if as_of else None).get(REFERENCE)


def test_a_void_disposition_is_gone_and_its_absence_is_a_gap():
    disposed = r.CommitteeDispositionRecorded(session=3, outcome="endorsed")
    trace = a_trace(cited, adopted, transmitted, disposed, void(5))
    assert trace is not None
    assert trace["dispositions"] == []
    assert trace["recommendation"]["standing"] == "transmitted"
    assert "No disposition of session 3 is on record." in trace["gaps"]
    assert a_trace(cited, adopted, transmitted, disposed, void(5), void(6))["dispositions"]  # type: ignore[index]


def test_a_void_recommendation_is_a_state_and_its_trace_says_so():
    trace = a_trace(cited, adopted, void(1))
    assert trace is not None
    own = trace["recommendation"]
    assert (own["standing"], own["title"], own["void"]) == ("void", "Synthetic title", {"reason": "Synthetic mistake"})
    assert (trace["mandates"], trace["coverage"]) == ([], "uncovered")
    assert trace["gaps"] == ["It is void, recorded by mistake: Synthetic mistake"]
    assert [each[:2] for each in trace["based_on"]] == [[OWN, 4]]
    assert trace["provenance"]["statements"] == {"recommendation": [f"{OWN} 1,4"]}
    again = a_trace(cited, adopted, void(1), void(4))
    assert again is not None
    assert again["recommendation"]["standing"] == "adopted"


def test_as_of_gives_a_void_the_date_of_what_it_voids():
    dated = drafted.model_copy(update={"on": "2030-02-01"})
    history = History().add(OWN, dated, void(1))
    assert composed(history.all(), date(2030, 1, 31)) == {}
    assert composed(history.all(), date(2030, 2, 1))[REFERENCE]["recommendation"]["standing"] == "void"
    assert a_trace(void(1), as_of="2030-01-01")["recommendation"]["dated"] == "date unknown"  # type: ignore[index]


@pytest.mark.parametrize(
    ("others", "names"),
    [
        ({"old": (void(1),)}, "instrument/old"),
        ({"session": (void(1),)}, "session/3"),
        ({"meeting": (m.RecordVoided(voids=1, reason="Synthetic mistake"),)}, "meeting/m1"),
    ],
    ids=["instrument", "session", "meeting"],
)
def test_what_rests_on_a_void_record_says_so(others: dict[str, tuple[Event, ...]], names: str):
    trace = a_trace(cited, ADOPTED, transmitted, **others)
    assert trace is not None
    assert f"It rests on {names}, which is void: Synthetic mistake" in trace["gaps"]
    assert trace["based_on"]


@pytest.mark.parametrize("version", [1, 2], ids=["instrument", "provision"])
def test_a_citation_of_what_is_void_is_not_live(version: int):
    trace = a_trace(cited, old=(void(version),))
    assert trace is not None
    assert trace["mandates"][0]["standing"] == "void"
    assert trace["mandates"][0]["cite"] == "Synthetic resolution 1"
    assert trace["coverage"] == "uncovered"
    assert "None of the mandates that it cites is live." in trace["gaps"]


def test_a_void_record_is_not_shown_before_the_date_of_what_it_voids():
    early = a_trace(cited, old=(void(1),), as_of="2019-12-31")
    assert early is not None
    assert early["mandates"] == []
    assert not any("which is void" in gap for gap in early["gaps"])


def test_a_void_provision_is_live_on_no_day():
    citation = a_recommendation(cited).state.citations[0]
    instrument = given(INSTRUMENT, "instrument/old", old_registered, old_asks, void(2)).state
    assert not was_live(citation, instrument, None)


def test_citation_and_symbol_of_a_void_instrument_are_free_and_its_id_is_not():
    state = given(INSTRUMENT, "instrument/old", old_registered, old_asks, void(1)).state
    assert isinstance(state, Void)
    assert INSTRUMENT.facets(state) == {"standing": "void"}


@pytest.mark.parametrize("kind", ["by", "supersedes"])
def test_a_void_supersession_lets_a_recommendation_stand_again(kind: str):
    superseding = r.RecommendationSuperseded.model_validate({kind: "SYN/2030/R2"})
    trace = a_trace(cited, superseding, void(3))
    assert trace is not None
    assert trace["lineage"] == {}
    assert trace["recommendation"]["standing"] == "drafted"

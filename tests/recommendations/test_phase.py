"""A draft, or adopted: by the state and by the trace alike, and of a trace as of a day by what is sure of it."""

from __future__ import annotations

from datetime import date

import pytest

from services.recommendations.domain.recommendation import RECOMMENDATION
from services.recommendations.trace import phase_of, trace_bytes
from shared.events import recommendations as r
from shared.events.event import Event
from tests.given import given
from tests.history import History, composed
from tests.recommendations.synthetic import OWN, REFERENCE, adopted, drafted, third_session, transmitted

DISPOSED = r.CommitteeDispositionRecorded(session=3, outcome="noted", status="verified", source="Synthetic report")
WITHDRAWN = r.RecommendationWithdrawn(reason="Synthetic", on="2031-01-01")
VOID = r.RecordVoided(voids=1, reason="Synthetic mistake")
ADOPTED_ON = r.RecommendationAdopted(adopted_on="2030-06-01", status="unknown", note="Synthetic: no meeting")
REVISED = r.RecommendationRevised(text="Synthetic text", on="2030-03-01")


@pytest.mark.parametrize(
    ("events", "phase"),
    [
        ((), "draft"),
        ((WITHDRAWN,), "draft"),
        ((r.RecommendationSuperseded(by="SYN/2030/R2"),), "draft"),
        ((VOID,), "draft"),
        ((adopted,), "adopted"),
        ((adopted, WITHDRAWN), "adopted"),
        ((adopted, r.RecordVoided(voids=2, reason="Synthetic mistake")), "draft"),
        ((adopted, VOID), "draft"),
        ((transmitted,), "adopted"),
        ((DISPOSED,), "adopted"),
    ],
)
def test_state_and_trace_are_of_the_same_phase(events: tuple[Event, ...], phase: str) -> None:
    state = given(RECOMMENDATION, OWN, drafted, *events).state
    trace = composed(History().add(OWN, drafted, *events).all())[REFERENCE]
    assert (RECOMMENDATION.facets(state)["phase"], phase_of(trace)) == (phase, phase)


@pytest.mark.parametrize(
    ("day", "adoption", "phase"),
    [
        (date(2030, 5, 31), ADOPTED_ON, "draft"),
        (date(2030, 6, 1), ADOPTED_ON, "adopted"),
        (date(2030, 6, 1), adopted, "draft"),
        (date(2030, 7, 1), ADOPTED_ON.model_copy(update={"adopted_on": "2030"}), "draft"),
        (date(2030, 12, 31), ADOPTED_ON.model_copy(update={"adopted_on": "2030"}), "adopted"),
    ],
)
def test_as_of_a_day_only_what_is_sure_to_have_been_adopted_is(day: date, adoption: Event, phase: str) -> None:
    history = History().add("session/3", third_session).add(OWN, drafted, REVISED, adoption, transmitted)
    assert phase_of(composed(history.all(), day)[REFERENCE]) == phase


def test_of_a_trace_that_cannot_be_shown_nothing_is_adopted() -> None:
    assert phase_of({"fault": "Synthetic"}) == "draft"


def test_the_phase_that_the_store_notes_is_not_compared() -> None:
    trace = composed(History().add(OWN, drafted, adopted).all())[REFERENCE]
    assert trace_bytes(trace | {"phase": "adopted"}) == trace_bytes(trace)

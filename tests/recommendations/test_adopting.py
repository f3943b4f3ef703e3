"""Adoption on a decision of a meeting: by the chair always, by the secretariat where it names one."""

from __future__ import annotations

from typing import Any

import pytest

from services.recommendations.commands import AdoptRecommendation
from services.recommendations.domain.foreign import MEETING
from services.recommendations.domain.proceedings import parts_of
from services.recommendations.domain.rules import (
    AdoptionHasNoMeeting,
    AdoptionRestsOnUnknownDecision,
    ChairAdoptsOnADecision,
    MeetingNotHeld,
)
from shared.events import meetings as m
from shared.events import recommendations as r
from shared.events.event import Event
from shared.events.values import Evidence, Seen
from tests.cli.record_in_memory import TODAY
from tests.given import known
from tests.history import History, composed
from tests.recommendations.synthetic import HELD, OWN, PROPOSED, REFERENCE, a_recommendation, drafted, held
from tools.render.trace_text import plain_text

DECISION = m.OutcomeRecorded(outcome="o1", kind="decision", text="Synthetic decision")
TASK = m.OutcomeRecorded(outcome="o2", kind="action_point", text="Synthetic action")
DECIDED = known(MEETING, "meeting/m1", held, DECISION, TASK)
ADOPTED = r.RecommendationAdopted(
    meeting="m1", outcome="o1", adopted_on="2030-03-01", text_version=1, seen=Seen(stream="meeting/m1", version=3)
)


def adopt(meeting: str = "m1", **more: Any) -> AdoptRecommendation:
    return AdoptRecommendation(meeting=meeting, **more)


@pytest.mark.parametrize("role", ["chair", "secretariat"])
def test_it_is_adopted_on_a_decision_of_its_meeting(role: str) -> None:
    a_recommendation().knowing(DECIDED).when(adopt(outcome="o1"), role=role).then(ADOPTED)


def test_the_chair_names_the_decision_and_the_secretariat_need_not() -> None:
    refused = a_recommendation().knowing(DECIDED).when(adopt(), role="chair").then_refused(ChairAdoptsOnADecision)
    assert refused.facts() == {"meeting": "m1"}
    a_recommendation().knowing(DECIDED).when(adopt()).then(ADOPTED.model_copy(update={"outcome": None}))


@pytest.mark.parametrize("role", ["chair", "secretariat"])
@pytest.mark.parametrize(
    ("facts", "outcome"), [(HELD, "o1"), (DECIDED, "o2"), (DECIDED, "o9")], ids=["none", "an action point", "another"]
)
def test_an_adoption_rests_on_a_decision_on_record(role: str, facts: Any, outcome: str) -> None:
    outcome_of = a_recommendation().knowing(facts).when(adopt(outcome=outcome), role=role)
    refused = outcome_of.then_refused(AdoptionRestsOnUnknownDecision)
    assert (refused.kind, refused.facts()) == ("reference", {"field": "outcome", "outcome": outcome, "meeting": "m1"})


def test_the_chair_does_not_adopt_at_a_meeting_that_was_not_held_nor_at_none() -> None:
    a_recommendation().knowing(PROPOSED).when(adopt("m2", outcome="o1"), role="chair").then_refused(MeetingNotHeld)
    nowhere = AdoptRecommendation(outcome="o1")
    a_recommendation().when(nowhere, role="chair").then_refused(AdoptionHasNoMeeting)


def test_a_silent_adoption_names_no_decision() -> None:
    silent = AdoptRecommendation(outcome="o1", status="unknown", note="Synthetic: the record is silent.")
    refused = a_recommendation().when(silent).then_refused(AdoptionRestsOnUnknownDecision)
    assert "no meeting" in refused.sentence()


def a_trace(*meeting: Event) -> dict[str, Any]:
    history = History().add("meeting/m1", held, DECISION, *meeting)
    return composed(history.add(OWN, drafted, ADOPTED).all())[REFERENCE]


def test_a_trace_shows_the_decision_on_which_it_was_adopted() -> None:
    trace = a_trace()
    assert trace["work"][0]["outcome"] == "o1"
    assert "It rests on the decision o1 of that meeting." in plain_text(trace, TODAY)
    assert not any("on which it was adopted" in gap for gap in trace["gaps"])


def test_a_decision_that_is_void_leaves_a_gap() -> None:
    trace = a_trace(m.RecordVoided(voids=2, reason="Synthetic slip"))
    assert (
        "The decision o1 of Synthetic meeting, on which it was adopted, is not on record, or no longer."
        in trace["gaps"]
    )


def test_a_meeting_has_its_parts_in_a_recommendation_in_the_order_of_recording() -> None:
    seen = Seen(stream="meeting/m1", version=1)
    events = (
        r.RecommendationDiscussed(meeting="m1", seen=seen),
        r.RecommendationDiscussed(meeting="m2", seen=seen),
        r.OriginRecorded(meeting="m1", seen=seen),
        ADOPTED,
        r.FollowUpReported(progress="implemented", evidence=Evidence(meeting="m1")),
        r.FollowUpReported(progress="implemented", evidence=Evidence(text="Synthetic")),
    )
    state = a_recommendation(*events).state
    assert parts_of(state, "m1") == [
        ("discussion", 2, None),
        ("origin", 4, None),
        ("adoption", 5, "o1"),
        ("evidence", 6, None),
    ]
    assert parts_of(state, "m2") == [("discussion", 3, None)]
    assert parts_of(state, "m9") == []
    assert parts_of(a_recommendation(r.RecordVoided(voids=1, reason="Synthetic")).state, "m1") == []

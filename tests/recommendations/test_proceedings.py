"""Agenda and outcomes of the meetings that a trace rests on, and what ended its priority: once, dated, in words."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from shared.events import meetings as m
from shared.events import recommendations as r
from shared.events.event import Event
from shared.events.values import Evidence, ProvisionRef
from tests.cli.record_in_memory import TODAY
from tests.history import History, composed
from tests.recommendations.synthetic import OWN, REFERENCE, cited, drafted, held, old_asks, old_registered
from tools.audit.trace_diff import describe_changes
from tools.render.trace_text import plain_text

SEEN = {"stream": "meeting/m1", "version": 1}
DISCUSSED = r.RecommendationDiscussed(meeting="m1", on="2030-03-01", seen=SEEN)
ADOPTED = r.RecommendationAdopted(meeting="m1", adopted_on="2030-03-01", seen=SEEN, text_version=1)
ITEM = m.AgendaItemAdded(
    item="a1",
    title="Synthetic item",
    priority="p1",
    provisions=(ProvisionRef(instrument="old", provision="old/ask"),),
    status="verified",
)
OUTCOME = m.OutcomeRecorded(
    outcome="o1", kind="action_point", text="Synthetic action", responsible="SYN office", due="2031", source="Synthetic"
)


SELECTED = r.PrioritySelected(priority="p1", title="P", outcome="O", timeline_to="2031", provisions=ITEM.provisions)
PRIORITY = (
    SELECTED.model_copy(update={"on": "2029", "status": "verified"}),
    r.PriorityClosed(reason="achieved", on="2030-06", status="inferred", note="Synthetic note"),
)


def a_trace(*own: Event, meeting: tuple[Event, ...] = (ITEM, OUTCOME), as_of: date | None = None) -> dict[str, Any]:
    """Compose the trace of the synthetic recommendation and a meeting with these entries."""
    history = History().add("meeting/m1", held, *meeting)
    history.add("priority/p1", *PRIORITY)
    history.add("instrument/old", old_registered, old_asks)
    return composed(history.add(OWN, drafted, *own).all(), as_of)[REFERENCE]


def test_agenda_and_outcomes_of_a_meeting_are_shown_once_however_many_steps_it_has():
    trace = a_trace(cited, DISCUSSED, ADOPTED)
    assert trace["proceedings"] == [
        {
            "meeting": "m1",
            "title": "Synthetic meeting",
            "agenda": [
                {
                    "item": "a1",
                    "title": "Synthetic item",
                    "priority": "p1",
                    "provisions": [{"instrument": "old", "provision": "old/ask"}],
                    "status": "verified",
                }
            ],
            "outcomes": [
                {
                    "outcome": "o1",
                    "kind": "action_point",
                    "text": "Synthetic action",
                    "responsible": "SYN office",
                    "due": "2031",
                    "source": "Synthetic",
                    "status": "unknown",
                }
            ],
        }
    ]
    assert trace["provenance"]["statements"]["proceedings/0"] == ["meeting/m1 1-3"]


@pytest.mark.parametrize(
    ("item", "own", "shown"),
    [
        (ITEM, (cited,), True),
        (ITEM, (r.RecommendationRevised(priority="p1"),), True),
        (ITEM, (), False),
        (ITEM.model_copy(update={"priority": "p2", "provisions": ()}), (cited,), False),
        (ITEM.model_copy(update={"priority": None, "provisions": ()}), (), True),
    ],
    ids=["provision", "priority", "neither", "another priority", "names nothing"],
)
def test_an_item_on_other_matters_is_counted(item: m.AgendaItemAdded, own: tuple[Event, ...], shown: bool):
    (meeting,) = a_trace(*own, DISCUSSED, meeting=(item, item.model_copy(update={"item": "a2"})))["proceedings"]
    assert (len(meeting.get("agenda", ())), meeting.get("other_items", 0)) == ((2, 0) if shown else (0, 2))
    text = " ".join(plain_text(a_trace(*own, DISCUSSED, meeting=(item,)), TODAY).split())
    assert ("Agenda: 1 other item." in text) != shown


def test_those_of_a_meeting_that_is_evidence_are_shown_too():
    evidence = r.FollowUpReported(progress="implemented", evidence=Evidence(meeting="m1"), on="2031")
    assert [item["meeting"] for item in a_trace(evidence)["proceedings"]] == ["m1"]


@pytest.mark.parametrize(
    ("own", "meeting"),
    [((), (ITEM,)), ((DISCUSSED,), ()), ((DISCUSSED,), (ITEM, m.RecordVoided(voids=1, reason="Synthetic mistake")))],
    ids=["another meeting", "without entries", "void"],
)
def test_there_is_no_section_without_entries(own: tuple[Event, ...], meeting: tuple[Event, ...]):
    assert "proceedings" not in a_trace(*own, meeting=meeting)


def test_an_outcome_that_is_void_is_gone_and_a_corrected_one_is_as_corrected():
    data = OUTCOME.model_dump(mode="json", exclude_none=True) | {"text": "Synthetic action, put right"}
    corrected = m.RecordCorrected(corrects=3, data=data, reason="Synthetic slip")
    (item,) = a_trace(ADOPTED, meeting=(ITEM, OUTCOME, corrected))["proceedings"]
    assert item["outcomes"][0]["text"] == "Synthetic action, put right"
    (item,) = a_trace(ADOPTED, meeting=(ITEM, OUTCOME, m.RecordVoided(voids=3, reason="Synthetic")))["proceedings"]
    assert "outcomes" not in item


@pytest.mark.parametrize(
    "says",
    [
        "AGENDA AND OUTCOMES 1. Synthetic meeting Agenda: Synthetic item (priority p1, old/ask).",
        "Action point: Synthetic action, responsible: SYN office, due 2031 (certainty unknown). Source: Synthetic",
        "Closed on June 2030: achieved (inferred). Synthetic note.",
        "revised themes, title (recalled)",
    ],
)
def test_the_text_of_a_trace_says_so(says: str):
    revised = r.RecommendationRevised(title="T", themes=("Synthetic",), priority="p1", status="recalled")
    shown = " ".join(plain_text(a_trace(DISCUSSED, revised), TODAY).split())
    assert says.replace("themes, title", "priority, themes, title") in shown


def test_a_diff_names_what_came():
    revised = r.RecommendationRevised(priority="p1", on="2030-02")
    entries = (ITEM, OUTCOME)
    changes = describe_changes(a_trace(revised), a_trace(revised, DISCUSSED, meeting=entries))
    assert any(change.startswith("Agenda and outcomes added: Synthetic meeting") for change in changes)
    before = a_trace(as_of=date(2030, 1, 1))
    changes = describe_changes(before, a_trace(revised))
    assert "Revision added: priority on February 2030 (certainty unknown)" in changes
    assert any("provisions: old/ask." in change and "Closed on June 2030" in change for change in changes)


def test_as_of_a_day_before_its_closing_the_priority_is_open():
    revised = r.RecommendationRevised(priority="p1", on="2030-02")
    assert "closed" in a_trace(revised)["priority"]
    assert "closed" not in a_trace(revised, as_of=date(2030, 5, 31))["priority"]


CLOSED = m.ActionPointClosed(outcome="o1", end="dropped", on="2030-06", status="verified", source="Synthetic minutes")


def test_an_action_point_that_was_closed_says_so_from_that_day_on() -> None:
    meeting = (ITEM, OUTCOME, CLOSED)
    [shown] = a_trace(ADOPTED, meeting=meeting)["proceedings"][0]["outcomes"]
    closed = {"end": "dropped", "on": "2030-06", "status": "verified", "source": "Synthetic minutes"}
    assert shown["closed"] == closed
    [before] = a_trace(ADOPTED, meeting=meeting, as_of=date(2030, 5, 31))["proceedings"][0]["outcomes"]
    assert "closed" not in before
    text = plain_text(a_trace(ADOPTED, meeting=meeting), TODAY)
    assert "That action point was dropped on June 2030." in text


def test_an_agenda_is_shown_in_its_order() -> None:
    first = m.AgendaItemAdded(item="a2", title="Synthetic opening", before="a1")
    free = ITEM.model_copy(update={"priority": None, "provisions": ()})
    ordered = m.AgendaOrdered(items=("a1", "a2"))
    for meeting, titles in (
        ((free, first), ["Synthetic opening", "Synthetic item"]),
        ((free, first, ordered), ["Synthetic item", "Synthetic opening"]),
    ):
        agenda = a_trace(ADOPTED, meeting=meeting)["proceedings"][0]["agenda"]
        assert [item["title"] for item in agenda] == titles
        assert not any("before" in item for item in agenda)

"""The order of an agenda: set anew, items put in at a place, and as it was once the meeting was held."""

from __future__ import annotations

import pytest

from services.meetings.commands import AddAgendaItem, OrderAgenda
from services.meetings.domain.rules import (
    AgendaItemNotOnRecord,
    AgendaOrderNamesEachItemOnce,
    AgendaOrderStandsOnceHeld,
)
from services.recommendations.domain.foreign import MEETING as REPLICA
from shared.domain.rejections import OutOfOrder
from shared.events.event import Event
from shared.events.meetings import AgendaItemAdded, AgendaOrdered, MeetingHeld, RecordVoided
from tests.given import given
from tests.meetings.synthetic import CONVENED, HELD, HISTORIES, PROPOSED, RECORDED, a_meeting, corrected


def item(name: str, before: str | None = None) -> AgendaItemAdded:
    return AgendaItemAdded(item=name, title=f"Synthetic {name}", before=before)


ITEMS = (item("i1"), item("i2"), item("i3"))
ORDERED = AgendaOrdered(items=("i3", "i1", "i2"))


def agenda_of(*events: Event) -> list[str]:
    """The ids of the agenda in its order, which a trace shows too."""
    own = list(a_meeting(*events).state.proceedings.items)
    replica = [entry["item"] for entry in given(REPLICA, "meeting/m1", *events).state.agenda]
    assert own == replica
    return own


@pytest.mark.parametrize("history", ["proposed", "convened", "recorded"])
def test_an_agenda_is_put_into_an_order_before_the_meeting_is_held(history: str) -> None:
    a_meeting(*HISTORIES[history], *ITEMS).when(OrderAgenda(items=("i3", "i1", "i2"))).then(ORDERED)


def test_the_agenda_of_a_held_meeting_stays_in_the_order_of_that_day() -> None:
    outcome = a_meeting(*CONVENED, *ITEMS, MeetingHeld()).when(OrderAgenda(items=("i3", "i1", "i2")))
    assert "void" in outcome.then_refused(AgendaOrderStandsOnceHeld).sentence()


@pytest.mark.parametrize("history", ["not on record", "cancelled"])
def test_no_other_meeting_has_an_order(history: str) -> None:
    a_meeting(*HISTORIES[history]).when(OrderAgenda(items=("i1",))).then_refused(OutOfOrder)


@pytest.mark.parametrize(
    ("order", "fault"),
    [
        (("i1", "i2", "i3", "i4"), "names i4, which is not on the agenda"),
        (("i1", "i2", "i1", "i3"), "names i1 twice"),
        (("i3", "i1"), "leaves i2 out"),
    ],
)
def test_an_order_names_each_item_once(order: tuple[str, ...], fault: str) -> None:
    refused = a_meeting(PROPOSED, *ITEMS).when(OrderAgenda(items=order)).then_refused(AgendaOrderNamesEachItemOnce)
    assert refused.facts() == {"field": "items", "fault": fault, "items": "i1, i2, i3"}


def test_an_empty_agenda_has_no_order() -> None:
    a_meeting(PROPOSED).when(OrderAgenda(items=("i1",))).then_refused(AgendaOrderNamesEachItemOnce)


@pytest.mark.parametrize(
    ("events", "agenda"),
    [
        (ITEMS, ["i1", "i2", "i3"]),
        ((*ITEMS, ORDERED), ["i3", "i1", "i2"]),
        ((*ITEMS, ORDERED, item("i4")), ["i3", "i1", "i2", "i4"]),
        ((*ITEMS, ORDERED, item("i4", before="i1")), ["i3", "i4", "i1", "i2"]),
        ((*ITEMS, ORDERED, RecordVoided(voids=5, reason="Synthetic slip")), ["i1", "i2", "i3"]),
        ((*ITEMS, ORDERED, RecordVoided(voids=2, reason="Synthetic slip")), ["i3", "i2"]),
        ((*ITEMS, item("i4", before="i2"), RecordVoided(voids=3, reason="Synthetic slip")), ["i1", "i3", "i4"]),
        ((*ITEMS, ORDERED, corrected(5, AgendaOrdered(items=("i2", "i3", "i1")))), ["i2", "i3", "i1"]),
    ],
    ids=["as added", "ordered", "added at the end", "put before", "order void", "item void", "place void", "corrected"],
)
def test_the_agenda_stands_in_its_order_here_and_on_traces(events: tuple[Event, ...], agenda: list[str]) -> None:
    assert agenda_of(PROPOSED, *events) == agenda


@pytest.mark.parametrize("history", [(PROPOSED,), HELD, (RECORDED,)], ids=["proposed", "held", "recorded"])
def test_an_item_is_put_before_one_on_the_agenda(history: tuple[Event, ...]) -> None:
    command = AddAgendaItem(item="i4", title="Synthetic i4", before="i2")
    a_meeting(*history, *ITEMS).when(command).then(item("i4", before="i2"))
    refused = a_meeting(*history).when(command).then_refused(AgendaItemNotOnRecord)
    assert (refused.kind, refused.facts()) == ("reference", {"field": "before", "item": "i2"})

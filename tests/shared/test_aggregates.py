"""Facts are events as corrected; a command's events take what both have; ids come again on a retry."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from shared.domain.aggregate import Command, event_from
from shared.domain.facts import facts_of
from shared.events.event import Event
from shared.events.meetings import MeetingConvened, MeetingHeld, MeetingRecorded, RecordCorrected
from tests.given import a_context, recorded

STREAM = "meeting/m1"
RECORDED = MeetingRecorded(meeting="m1", title="Synthetic forum", kind="forum")


def corrected(corrects: int, data: dict[str, Any] | None = None, **more: Any) -> RecordCorrected:
    """Return a correction, by default of the title."""
    whole = {"meeting": "m1", "title": "Put right", "kind": "forum"} if data is None else data
    return RecordCorrected(corrects=corrects, data=whole, reason="Synthetic", **more)


def facts(*events: Event) -> list[tuple[Event, tuple[int, ...]]]:
    """Return what the facts of a stream say, and the versions behind them."""
    return [(fact.data, fact.versions) for fact in facts_of(recorded(STREAM, *events))]


def test_a_fact_holds_the_values_of_its_event() -> None:
    held = MeetingHeld(held_from="2031")
    assert facts(RECORDED, held) == [(RECORDED, (1,)), (held, (2,))]


def test_a_fact_names_the_event_it_came_from() -> None:
    envelope = recorded(STREAM, RECORDED)[0]
    [fact] = facts_of([envelope])
    assert (fact.stream, fact.time, fact.actor, fact.role, fact.event_id) == (
        envelope.subject,
        envelope.time,
        envelope.actor,
        envelope.role,
        envelope.id,
    )


def test_corrected_data_stands_in_the_place_of_the_original() -> None:
    put_right = RECORDED.model_copy(update={"title": "Put right"})
    assert facts(RECORDED, MeetingConvened(), corrected(1)) == [(put_right, (1, 3)), (MeetingConvened(), (2,))]


def test_the_latest_correction_wins() -> None:
    twice = corrected(1, {"meeting": "m1", "title": "Put right again", "kind": "other"})
    assert facts(RECORDED, corrected(1), twice) == [
        (MeetingRecorded(meeting="m1", title="Put right again", kind="other"), (1, 3))
    ]


@pytest.mark.parametrize(
    "odd",
    [
        corrected(2),
        corrected(3),
        corrected(9),
        corrected(1, {"meeting": "m1"}),
        corrected(1, {"meeting": "m1", "title": "", "kind": "forum"}),
        corrected(1, {}),
        corrected(1, data_type="throughline.meetings.MeetingNoted.v1", data={"note": "Synthetic"}),
    ],
)
def test_a_correction_that_corrects_nothing_leaves_the_history_as_it_is(odd: RecordCorrected) -> None:
    assert facts(RECORDED, corrected(1), odd) == [(RECORDED.model_copy(update={"title": "Put right"}), (1, 2))]


@pytest.mark.parametrize("data", [{"title": None}, {"rows": [1.5]}, {"é": 1}, {"deep": {"none": [None]}}])
def test_a_correction_holds_only_values_with_canonical_bytes(data: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        corrected(1, data)


class AskToRecord(Command, MeetingRecorded):
    """Ask for what the event states."""


class AskInOtherWords(Command):
    """Ask with fields of its own."""

    title: str
    because: str


def test_an_event_takes_the_values_of_its_command() -> None:
    command = AskToRecord(meeting="m1", title="Synthetic forum", kind="forum", status="inferred")
    assert event_from(command, MeetingRecorded) == RECORDED.model_copy(update={"status": "inferred"})


def test_the_servers_values_override_the_commands() -> None:
    command = AskInOtherWords(title="Synthetic forum", because="Synthetic")
    event = event_from(command, MeetingRecorded, meeting="m1", kind="forum", starts_at=None, title="As known here")
    assert event == RECORDED.model_copy(update={"title": "As known here"})


def test_an_event_without_a_required_value_is_not_created() -> None:
    with pytest.raises(ValidationError):
        event_from(AskInOtherWords(title="Synthetic forum", because="Synthetic"), MeetingRecorded)


def test_a_retried_command_derives_the_same_ids_and_another_command_others() -> None:
    first, again, other = a_context(), a_context(role="chair"), a_context().new_id("nomination")
    assert first.new_id("meeting") == again.new_id("meeting")
    assert UUID(first.new_id("meeting"))
    assert first.new_id("meeting") != other

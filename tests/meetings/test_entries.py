"""Entries of a meeting: agenda, documents, attendance, outcomes; each id once."""

from __future__ import annotations

from typing import Any

import pytest

from services.meetings.commands import AddAgendaItem, DisseminateDocument, RecordAttendance, RecordOutcome
from services.meetings.domain.foreign import INSTRUMENT, MEMBERSHIP, PRIORITY
from services.meetings.domain.rules import AgendaItemNamesUnknownProvision
from shared.domain.aggregate import Aggregate, Command, Known
from shared.domain.rejections import NotHeardYet, OutOfOrder
from shared.events.event import Event
from shared.events.meetings import AgendaItemAdded, AttendanceRecorded
from shared.events.nominations import MembershipEnded
from shared.events.recommendations import InstrumentRegistered, PriorityClosed
from shared.events.values import ProvisionRef, Seen
from tests.given import given, known
from tests.meetings.synthetic import (
    AIR,
    ATTENDED,
    BEGAN,
    DECISION,
    DISSEMINATED,
    FORMER_MEMBER,
    HELD,
    ITEM,
    ITEM_ADDED,
    MEMBER,
    OUTCOME,
    PAPER,
    PROVISION,
    REF,
    REGISTERED,
    RESOLUTION,
    SELECTED,
    a_meeting,
)

ATTEND = RecordAttendance(membership="e1", presence="remote")


@pytest.mark.parametrize(
    ("entered", "command"),
    [
        (ITEM_ADDED, AddAgendaItem(**ITEM | {"title": "Another matter"})),
        (DISSEMINATED, DisseminateDocument(**PAPER | {"title": "Another paper"})),
        (ATTENDED, ATTEND),
        (OUTCOME, RecordOutcome(**DECISION | {"kind": "action_point"})),
    ],
    ids=lambda value: type(value).__name__,
)
def test_nothing_is_entered_twice_under_one_id(entered: Event, command: Command) -> None:
    a_meeting(*HELD, entered).knowing(MEMBER).when(command).then_refused(OutOfOrder)


def test_another_item_is_added() -> None:
    command = AddAgendaItem(item="i2", title="Synthetic matter")
    a_meeting(*HELD, ITEM_ADDED).when(command).then(AgendaItemAdded(item="i2", title="Synthetic matter"))


def test_an_agenda_item_names_a_known_priority_and_known_provisions() -> None:
    command = AddAgendaItem(**ITEM, priority="air", provisions=(REF,))
    outcome = a_meeting(*HELD).knowing(AIR | RESOLUTION).when(command)
    outcome.then(AgendaItemAdded(**ITEM, priority="air", provisions=(REF,)))


@pytest.mark.parametrize("replicas", [AIR, RESOLUTION, {}], ids=["no instrument", "no priority", "neither"])
def test_an_agenda_item_waits_for_unknown_streams(replicas: dict[str, Known]) -> None:
    command = AddAgendaItem(**ITEM, priority="air", provisions=(REF,))
    refused = a_meeting(*HELD).knowing(replicas).when(command).then_refused(NotHeardYet)
    assert refused.facts()["stream"] not in replicas


def test_an_agenda_item_does_not_name_a_provision_that_is_not_registered() -> None:
    command = AddAgendaItem(**ITEM, provisions=(REF, ProvisionRef(instrument="res-1", provision="1/other")))
    refused = a_meeting(*HELD).knowing(RESOLUTION).when(command).then_refused(AgendaItemNamesUnknownProvision)
    assert (refused.kind, refused.facts()) == ("reference", {"instrument": "res-1", "provision": "1/other"})


LATE_MEMBER = known(MEMBERSHIP, "membership/e1", BEGAN.model_copy(update={"began_on": "2026-03-03"}))


@pytest.mark.parametrize(
    ("replicas", "version", "limits"),
    [
        (MEMBER, 1, {}),
        (FORMER_MEMBER, 2, {"membership_ended": True}),
        (LATE_MEMBER, 1, {"membership_began_on": "2026-03-03"}),
    ],
    ids=["active", "ended", "begun later"],
)
def test_attendance_takes_member_and_term_from_the_membership_and_records_its_version(
    replicas: dict[str, Known], version: int, limits: dict[str, Any]
) -> None:
    seen = Seen(stream="membership/e1", version=version)
    expected = AttendanceRecorded(membership="e1", member="FJI", presence="remote", seen=seen, **limits)
    a_meeting(*HELD).knowing(replicas).when(ATTEND).then(expected)


def test_attendance_of_an_unknown_membership_waits() -> None:
    refused = a_meeting(*HELD).when(ATTEND).then_refused(NotHeardYet)
    assert (refused.kind, refused.http_status) == ("reference", 409)


def test_a_stream_without_its_first_event_counts_as_unknown() -> None:
    membership = known(MEMBERSHIP, "membership/e1", MembershipEnded(reason="other"))
    instrument = known(INSTRUMENT, "instrument/res-1", PROVISION)
    a_meeting(*HELD).knowing(membership).when(ATTEND).then_refused(NotHeardYet)
    a_meeting(*HELD).knowing(instrument).when(AddAgendaItem(**ITEM, provisions=(REF,))).then_refused(NotHeardYet)


def test_attendance_never_takes_the_member_from_the_body() -> None:
    with pytest.raises(ValueError, match="member"):
        RecordAttendance.model_validate({"membership": "e1", "presence": "remote", "member": "KHM"})


@pytest.mark.parametrize(
    ("aggregate", "stream", "events", "stage"),
    [
        (MEMBERSHIP, "membership/e1", (MembershipEnded(reason="other"),), "unheard"),
        (MEMBERSHIP, "membership/e1", (BEGAN, MembershipEnded(reason="other")), "ended"),
        (PRIORITY, "priority/air", (PriorityClosed(reason="other"),), "unheard"),
        (PRIORITY, "priority/air", (SELECTED, PriorityClosed(reason="other")), "selected"),
        (INSTRUMENT, "instrument/res-1", (PROVISION,), "unheard"),
        (INSTRUMENT, "instrument/res-1", (REGISTERED, PROVISION, PROVISION), "registered"),
    ],
)
def test_every_consumed_stream_is_folded(
    aggregate: Aggregate[object], stream: str, events: tuple[Event, ...], stage: str
) -> None:
    assert given(aggregate, stream, *events).state.stage == stage


@pytest.mark.parametrize("aggregate", [MEMBERSHIP, PRIORITY, INSTRUMENT], ids=lambda aggregate: aggregate.kind)
def test_a_foreign_stream_is_not_decided_here(aggregate: Aggregate[object]) -> None:
    with pytest.raises(LookupError):
        given(aggregate, f"{aggregate.kind}/x").when(ATTEND)


def test_a_known_instrument_without_provisions_has_none() -> None:
    bare = InstrumentRegistered(instrument="res-1", cite="Synthetic 1", body="Synthetic", title="Synthetic")
    replicas = known(INSTRUMENT, "instrument/res-1", bare)
    command = AddAgendaItem(**ITEM, provisions=(REF,))
    a_meeting(*HELD).knowing(replicas).when(command).then_refused(AgendaItemNamesUnknownProvision)

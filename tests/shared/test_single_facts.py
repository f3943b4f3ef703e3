"""Facts that cannot be are refused whatever is on record: dates out of order, in the future, members that are none."""

from __future__ import annotations

import calendar
import importlib
from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.domain import dates
from shared.domain.single_facts import EndsBeforeItStarts, FactLiesInTheFuture, NamesNoMember, refusal_of_fact
from shared.events import meetings as m
from shared.events import nominations as n
from shared.events import recommendations as r
from shared.events.catalogue import decode
from shared.events.event import Event
from tests.contracts.corpus import golden
from tests.given import recorded

NOW = datetime(2026, 11, 15, 23, 30, tzinfo=UTC)
FORUM = {"meeting": "m1", "title": "Synthetic forum", "kind": "forum"}
PROPOSAL = FORUM | {"modality": "online"}
PRIORITY = {"priority": "p1", "title": "P", "outcome": "O"}

OUT_OF_ORDER = [
    m.MeetingRecorded(**FORUM, starts_at="2024-05-10", ends_at="2024-05-08"),
    m.MeetingRecorded(**FORUM, starts_at="2024-05", ends_at="2023"),
    m.MeetingProposed(**PROPOSAL, starts_at="2024-05-10T10:00:00+07:00", ends_at="2024-05-10T09:00:00+07:00"),
    m.MeetingProposed(**PROPOSAL, starts_at="2024-05-10T10:00:00+07:00", ends_at="2024-05-10T09:00:00+09:00"),
    m.MeetingRescheduled(starts_at="2024-05-10", ends_at="2024-05-09T23:59:59Z"),
    m.MeetingHeld(held_from="2024-05-10", held_to="2024-05-09"),
    r.CommitteeSessionRecorded(session=8, starts_on="2024-10-18", ends_on="2024-10-16"),
    r.PrioritySelected(**PRIORITY, timeline_from="2025", timeline_to="2024"),
    n.CallForNominationsOpened(call="c1", title="Synthetic", opened_on="2024-05-02", closes_on="2024-05-01"),
]
IN_ORDER = [
    m.MeetingRecorded(**FORUM, starts_at="2024-05-10", ends_at="2024-05"),
    m.MeetingRecorded(**FORUM, ends_at="2024"),
    m.MeetingProposed(**PROPOSAL, starts_at="2024-05-10T10:00:00+07:00", ends_at="2024-05-10T03:00:00Z"),
    m.MeetingProposed(**PROPOSAL, starts_at="0001-01-01T00:00:00+14:00", ends_at="9999-12-31T23:59:59-14:00"),
    m.MeetingProposed(**PROPOSAL, starts_at="2031-05-10", ends_at="2031-05-10"),
    r.PrioritySelected(**PRIORITY, timeline_from="2026", timeline_to="2029"),
    r.CommitteeSessionRecorded(session=9, starts_on="2028-10", ends_on="2028-10"),
    r.DeliverableRecorded(deliverable="d1", body="SYN", year="2027", planned_three_hour_meetings=4),
    r.FollowUpReported(progress="not_started", due="2030"),
    m.OutcomeRecorded(outcome="o1", kind="action_point", text="Synthetic", due="2030"),
    n.CallForNominationsOpened(call="c1", title="Synthetic", opened_on="2026", closes_on="2027"),
]
IN_THE_FUTURE = [
    m.MeetingRecorded(**FORUM, starts_at="2026-11-17"),
    m.MeetingRecorded(**FORUM, starts_at="2026-11-15", ends_at="2026-12"),
    m.MeetingHeld(held_from="2026-11-17T00:00:00+14:00"),
    r.RecommendationAdopted(meeting="m1", adopted_on="2027"),
    r.DeliverableRecorded(deliverable="d1", body="SYN", year="2027", actual_three_hour_meetings=3),
    r.PriorityClosed(reason="achieved", on="2026-11-17"),
    n.NominationAccepted(accepted_on="2026-12"),
    n.CallForNominationsOpened(call="c1", title="Synthetic", opened_on="2027"),
]


@pytest.mark.parametrize("event", OUT_OF_ORDER, ids=str)
def test_nothing_ends_before_it_starts(event: Event) -> None:
    refused = refusal_of_fact(event, NOW)
    assert isinstance(refused, EndsBeforeItStarts)
    assert refused.field in type(event).model_fields
    assert refused.start_field in refused.sentence()


@pytest.mark.parametrize("event", IN_ORDER, ids=str)
def test_dates_that_can_be_are_taken_and_plans_may_lie_ahead(event: Event) -> None:
    assert refusal_of_fact(event, NOW) is None


@pytest.mark.parametrize("event", IN_THE_FUTURE, ids=str)
def test_a_fact_is_not_dated_in_the_future(event: Event) -> None:
    refused = refusal_of_fact(event, NOW)
    assert isinstance(refused, FactLiesInTheFuture)
    assert "2026-11-16" in refused.sentence()


@pytest.mark.parametrize("on", ["2026", "2026-11", "2026-11-16"])
def test_the_day_after_in_utc_and_dates_known_in_part_are_not_in_the_future(on: str) -> None:
    event = r.PriorityClosed(reason="achieved", on=on)
    assert refusal_of_fact(event, NOW) is None
    assert refusal_of_fact(event, NOW.astimezone(timezone(timedelta(hours=14)))) is None


def test_a_supporting_member_is_a_member() -> None:
    def initiative(member: str) -> Event:
        return r.InitiativeRegistered(initiative="i1", title="Synthetic", supporting_member=member)

    refused = refusal_of_fact(initiative("XXX"), NOW)
    assert isinstance(refused, NamesNoMember)
    assert (refused.field, refused.member) == ("supporting_member", "XXX")
    assert refusal_of_fact(initiative("KOR"), NOW) is None


@pytest.mark.parametrize("event", [*OUT_OF_ORDER, *IN_THE_FUTURE], ids=str)
def test_what_would_be_refused_today_still_decodes(event: Event) -> None:
    assert recorded("synthetic/1", event)[0].data == event


def test_golden_files_of_future_facts_still_decode() -> None:
    assert any(refusal_of_fact(decode(raw).data, NOW) for raw in golden().values())


def test_months_are_in_english_on_every_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar, "month_name", ["", *["mois"] * 12])
    importlib.reload(dates)
    assert dates.in_words("2022-05-27") == "27 May 2022"

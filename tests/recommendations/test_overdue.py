"""Overdue: by the latest report of an action, the closing of a priority, and the first day of a session."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from services.recommendations.commands import RecordBodySession
from services.recommendations.domain.registers import BODY_SESSION
from services.recommendations.domain.rules import SessionIsTheCommittees
from services.recommendations.domain.sessions import session_stream
from services.recommendations.queries.traces import today_of
from shared.domain.dates import in_words
from shared.domain.rejections import OutOfOrder
from shared.events import recommendations as r
from shared.events.event import Event
from tests.given import given
from tests.history import History, composed
from tests.record.synthetic import a_record, checked

TODAY = date(2031, 6, 1)
OWN = "recommendation/SYN/2031/R1"
SESSIONS: dict[str, Event] = {
    "session/7": r.CommitteeSessionRecorded(session=7, starts_on="2031-05-02"),
    "body_session/commission-77": r.BodySessionRecorded(
        key="commission-77", body="Commission", session=77, starts_on="2031-04-26"
    ),
}


def past_due(*events: Event, duty: r.ReportingDuty | None = None, closed: Event | None = None) -> list[str]:
    """Return what is past due today of a recommendation with these events."""
    history = History()
    provision = r.ProvisionRegistered(provision="p", summary="Synthetic", reporting_duty=duty)
    named = r.InstrumentRegistered(instrument="i", cite="Synthetic 1", body="SYN", title="Synthetic")
    history.add("instrument/i", named, provision)
    selected = r.PrioritySelected(priority="p1", title="P", outcome="O", timeline_to="2030")
    history.add("priority/p1", selected, *([closed] if closed else []))
    for stream, event in SESSIONS.items():
        history.add(stream, event)
    drafted = r.RecommendationDrafted(reference="SYN/2031/R1", title="Synthetic", priority="p1")
    history.add(OWN, drafted, r.MandateCited(instrument="i", provision="p"), *events)
    shown: list[str] = today_of(composed(history.all())["SYN/2031/R1"], {}, TODAY)["past_due"]
    return shown


def report(progress: str, **more: Any) -> r.FollowUpReported:
    return r.FollowUpReported.model_validate({"progress": progress, **more})


def test_past_due_is_of_the_day_that_a_trace_is_of():
    history = History().add(OWN, r.RecommendationDrafted(reference="SYN/2031/R1", title="Synthetic"))
    history.add(OWN, report("under_implementation", due="2031-06-30"))
    trace = composed(history.all())["SYN/2031/R1"]
    early = today_of(trace, {}, date(2031, 6, 1))
    assert (early["date"], early["past_due"], "known_at" in early) == ("2031-06-01", [], False)
    later = today_of(trace, {}, None, datetime(2031, 7, 2, tzinfo=UTC))
    assert (later["date"], len(later["past_due"]), later["known_at"][:10]) == ("2031-07-02", 1, "2031-07-02")


PRIORITY = "The priority p1 was to be achieved by 2030."
CLOSED = r.PriorityClosed(reason="lapsed")


@pytest.mark.parametrize(
    ("reports", "overdue"),
    [
        ([report("not_started", due="2031-01"), report("implemented", due="2031-01")], []),
        (
            [report("not_started", due="2031-01"), report("implemented", due="2031-02")],
            ["was due by January 2031 and is not"],
        ),
        (
            [
                report("not_started", due="2031-01", responsible="A"),
                report("implemented", due="2031-01", responsible="B"),
            ],
            ["was due by January 2031 and is not"],
        ),
        ([report("not_started", action="a", due="2031-01"), report("implemented", action="a")], []),
        (
            [report("not_started", action="a", due="2031-01"), report("under_implementation", action="a")],
            ["on a was due by January 2031 and is under"],
        ),
        (
            [report("not_started", action="a", due="2031-01"), report("under_implementation", action="a", due="2032")],
            [],
        ),
        (
            [
                report("implemented", action="a", on="2031-05"),
                report("not_started", action="a", on="2031-02", due="2031-03"),
            ],
            [],
        ),
        (
            [
                report("implemented", action="a", on="2031-02"),
                report("not_started", action="a", on="2031-05", due="2031-03"),
            ],
            ["on a was due by March 2031 and is not started"],
        ),
        ([report("not_started", action="a", due="2031-01"), report("implemented", action="b")], ["on a was due"]),
    ],
)
def test_the_latest_report_of_an_action_says_whether_it_is_past_due(reports: list[Event], overdue: list[str]) -> None:
    sentences = past_due(*reports, closed=CLOSED)
    assert len(sentences) == len(overdue)
    assert all(part in sentence for part, sentence in zip(overdue, sentences, strict=True))


@pytest.mark.parametrize("reason", ["achieved", "lapsed"])
def test_a_closed_priority_is_not_due(reason: str) -> None:
    assert past_due() == [PRIORITY]
    assert past_due(closed=r.PriorityClosed.model_validate({"reason": reason, "on": "2031-01"})) == []


def test_a_priority_is_due_until_every_action_has_ended() -> None:
    assert past_due(report("implemented", action="a"), report("under_implementation", action="b")) == [PRIORITY]
    assert past_due(report("implemented", action="a"), report("not_pursued", action="b")) == []


def test_the_closing_of_a_priority_counts_as_of_its_own_day() -> None:
    history = History()
    selected = r.PrioritySelected(priority="p1", title="P", outcome="O", timeline_to="2030", on="2029")
    history.add("priority/p1", selected, r.PriorityClosed(reason="lapsed", on="2031-05"))
    history.add(OWN, r.RecommendationDrafted(reference="SYN/2031/R1", title="S", priority="p1", on="2029"))
    before = composed(history.all(), date(2031, 4, 30))["SYN/2031/R1"]
    after = composed(history.all(), date(2031, 5, 31))["SYN/2031/R1"]
    assert "closed" not in before["priority"]
    assert after["priority"]["closed"] == {"reason": "lapsed", "on": "2031-05", "status": "unknown"}
    assert "priority/p1 1-2" in after["provenance"]["statements"]["priority"]


@pytest.mark.parametrize(
    ("duty", "due"),
    [
        ({"body": "Commission", "session": 77}, "2031-04-26"),
        ({"body": "COMMISSION", "session": 77, "due": "2032"}, "2031-04-26"),
        ({"body": "CED", "session": 7}, "2031-05-02"),
        ({"body": "Committee on Environment and Development", "session": 7}, "2031-05-02"),
        ({"body": "Commission", "session": 78, "due": "2031-02"}, "2031-02"),
        ({"body": "Commission", "session": 7}, None),
        ({"body": "Commission"}, None),
    ],
)
def test_a_report_to_a_session_is_due_on_its_first_day(duty: dict[str, Any], due: str | None) -> None:
    expected = [f"The report that Synthetic 1 asks for was due by {in_words(due)}."] if due else []
    assert past_due(duty=r.ReportingDuty.model_validate(duty), closed=CLOSED) == expected


def test_a_session_of_another_body_is_recorded_once_under_body_and_number() -> None:
    command = RecordBodySession(body="Commission", session=77, starts_on="2031-04-26")
    event = SESSIONS["body_session/commission-77"]
    assert session_stream("commission", 77) == f"body_session/{command.key}"
    given(BODY_SESSION, "body_session/commission-77").when(command).then(event)
    given(BODY_SESSION, "body_session/commission-77", event).when(command).then_refused(OutOfOrder)


@pytest.mark.parametrize(
    "body",
    [
        "CED",
        "committee",
        "The Committee",
        "ESCAP CED",
        "Committee on Environment and Development",
        "ESCAP Committee on Environment & Development",
    ],
)
def test_a_session_of_the_committee_is_not_recorded_as_another_bodys(body: str) -> None:
    command = RecordBodySession(body=body, session=8)
    given(BODY_SESSION, f"body_session/{command.key}").when(command).then_refused(SessionIsTheCommittees)


def test_a_file_records_sessions_of_other_bodies_and_actions(tmp_path: Path) -> None:
    record = a_record()
    record["body_sessions"] = [{"body": "Commission", "session": "77", "from": "2021-04-26", "to": "2021-04-29"}]
    record["recommendations"][0]["follow_up"][0]["action"] = "Synthetic action"
    rows = {row.row.stream: row for row in checked(tmp_path, record).rows}
    assert rows["body_session/commission-77"].row.post == "/body-sessions"
    reports = [row.event for row in checked(tmp_path, record).rows if isinstance(row.event, r.FollowUpReported)]
    assert [each.action for each in reports] == ["Synthetic action", None]

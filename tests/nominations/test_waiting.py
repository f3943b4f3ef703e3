"""Waiting matters of this service: for whom, since when and until when."""

from __future__ import annotations

from datetime import date

import pytest

from services.nominations.domain.call import CALL, Absent, Open
from services.nominations.domain.call import Call as CallState
from services.nominations.domain.nomination import NOMINATION
from services.nominations.domain.waiting import of_call, of_nomination
from services.nominations.queries.members import Tally, answers, deadline, members
from shared.domain.members import MEMBERS
from shared.events.event import Event
from shared.events.nominations import (
    CallForNominationsClosed,
    NominationAccepted,
    NominationAmended,
    NominationResubmitted,
    NominationReturned,
    RecordVoided,
)
from tests.given import given
from tests.nominations.synthetic import OPENED, PAPER, SUBMITTED

DATED = OPENED.model_copy(update={"opened_on": "2026-01", "closes_on": "2026-03-31"})
CALLED: CallState = given(CALL, "call/synthetic-call", DATED).state
RETURNED = NominationReturned(reason="Synthetic", returned_on="2026-02-03")
RESUBMITTED = NominationResubmitted(**PAPER, resubmitted_on="2026-02")


@pytest.mark.parametrize(
    ("history", "kind", "role", "since"),
    [
        ((SUBMITTED,), "nomination_to_review", "secretariat", "2032-01-05"),
        ((SUBMITTED.model_copy(update={"submitted_on": "2026"}),), "nomination_to_review", "secretariat", "2026"),
        ((SUBMITTED, NominationAmended(**PAPER)), "nomination_to_review", "secretariat", "2032-01-05"),
        ((SUBMITTED, RETURNED), "nomination_to_complete", "focal_point", "2026-02-03"),
        ((SUBMITTED, NominationReturned(reason="S")), "nomination_to_complete", "focal_point", "2032-01-05"),
        ((SUBMITTED, RETURNED, RESUBMITTED), "nomination_to_review", "secretariat", "2026-02"),
    ],
)
def test_a_nomination_waits_for_one_side_since_its_last_step(
    history: tuple[Event, ...], kind: str, role: str, since: str
) -> None:
    (matter,) = of_nomination(given(NOMINATION, "nomination/n1", *history).state, CALLED)
    assert (matter.kind, matter.roles, matter.since, matter.due) == (kind, (role,), since, "2026-03-31")
    assert (matter.stream, matter.title, matter.member) == ("nomination/n1", "Fiji: principal", "FJI")
    assert "due by 31 March 2026" in matter.why


@pytest.mark.parametrize("last", [NominationAccepted(), RecordVoided(voids=1, reason="Synthetic")], ids=str)
def test_a_nomination_that_is_decided_or_void_waits_for_nobody(last: Event) -> None:
    assert list(of_nomination(given(NOMINATION, "nomination/n1", SUBMITTED, last).state, CALLED)) == []


def test_a_nomination_under_no_call_or_a_void_one_is_due_on_no_day() -> None:
    void = given(CALL, "call/synthetic-call", DATED, RecordVoided(voids=1, reason="Synthetic")).state
    for call in (Absent(), void):
        (matter,) = of_nomination(given(NOMINATION, "nomination/n1", SUBMITTED).state, call)
        assert matter.due is None


def test_an_open_call_waits_for_each_member_that_has_not_answered_and_for_its_closing() -> None:
    closing, *open_ = of_call(CALLED, {"FJI", "TUV"})
    assert (closing.kind, closing.roles, closing.due) == ("call_to_close", ("secretariat",), "2026-03-31")
    assert closing.why.startswith("2 of 62 members have answered it; its last day is 31 March 2026")
    assert {each.member for each in open_} == MEMBERS.keys() - {"FJI", "TUV"}
    assert {(each.kind, each.roles, each.about == each.member) for each in open_} == {
        ("call_to_answer", ("focal_point",), True)
    }


def test_a_closed_call_waits_for_nobody() -> None:
    assert list(of_call(given(CALL, "call/synthetic-call", DATED, CallForNominationsClosed()).state, set())) == []


COUNTED = {member: Tally() for member in MEMBERS} | {
    "FJI": Tally({"accepted": 2, "void": 1}, {"principal": 1, "alternate": 0}, ["2026-02", "2024"]),
    "TUV": Tally({"void": 1}),
}


def test_who_never_nominated_is_listed_and_a_void_nomination_is_none() -> None:
    never = members(COUNTED, MEMBERS, "never", None)
    assert (never["total"], never["counts"]) == (61, {"ever": 1, "never": 61})
    assert "TUV" in {row["member"] for row in never["items"]}
    assert [row["name"] for row in never["items"]] == sorted(row["name"] for row in never["items"])
    (fiji,) = members(COUNTED, MEMBERS, "ever", "member")["items"]
    assert fiji == {
        "member": "FJI",
        "name": "Fiji",
        "kind": "member",
        "nominated": True,
        "nominations": {"accepted": 2, "void": 1},
        "active": {"principal": 1, "alternate": 0},
        "first_submission": "2024",
        "last_submission": "2026-02",
    }
    assert members(COUNTED, MEMBERS, None, "associate_member")["total"] == 9


def test_a_call_says_who_has_answered_it_and_who_has_not() -> None:
    assert isinstance(CALLED, Open)
    shown = answers(CALLED, COUNTED, MEMBERS, "no")
    assert (shown["total"], shown["counts"]) == (61, {"answered": 1, "not_answered": 61})
    assert (shown["stage"], shown["closes_on"], shown["deadline"]) == ("open", "2026-03-31", "passed")


@pytest.mark.parametrize(
    ("closes_on", "says"),
    [
        (None, "not set"),
        ("2026-03-14", "passed"),
        ("2026-03-15", "ahead"),
        ("2026-03", "possibly passed"),
        ("2026-02", "passed"),
        ("2026-04", "ahead"),
    ],
)
def test_a_deadline_passes_with_its_last_day(closes_on: str | None, says: str) -> None:
    assert deadline(closes_on, date(2026, 3, 15)) == says

"""The roster as at a day: certain, possibly, date unknown; details that changed; who replaced whom."""

from __future__ import annotations

from datetime import date

import pytest

from services.nominations.domain.membership import MEMBERSHIP
from services.nominations.domain.nomination import NOMINATION
from services.nominations.domain.nomination_states import Absent
from services.nominations.domain.roster import (
    OnRecord,
    chain_of,
    nominated_in,
    particulars_on,
    replacements,
    standing_on,
)
from shared.events.event import Event
from shared.events.nominations import (
    ExpertDetailsChanged,
    MembershipBegan,
    MembershipEnded,
    NominationAccepted,
    NominationAmended,
    RecordVoided,
)
from shared.events.values import Sealed
from tests.given import given
from tests.nominations.synthetic import BEGAN, PAPER, SEALED, SUBMITTED, corrected

RECORDED = "2032-01-05"
NOMINATED = nominated_in(given(NOMINATION, "nomination/n1", SUBMITTED, NominationAccepted()).state)


def a_membership(*events: Event, began_on: str | None = "2026-03-01") -> OnRecord:
    began = BEGAN.model_copy(update={"began_on": began_on})
    state: OnRecord = given(MEMBERSHIP, "membership/n1", began, *events).state
    return state


def ended(on: str | None) -> MembershipEnded:
    return MembershipEnded(reason="term_ended", ended_on=on)


@pytest.mark.parametrize(
    ("began_on", "end", "day", "certainty"),
    [
        ("2026-03-01", None, "2026-02-28", None),
        ("2026-03-01", None, "2026-03-01", "certain"),
        ("2026-03", None, "2026-02-28", None),
        ("2026-03", None, "2026-03-15", "possibly"),
        ("2026-03", None, "2026-03-31", "certain"),
        ("2026-03-01", ended("2028-03-01"), "2028-03-01", "certain"),
        ("2026-03-01", ended("2028-03-01"), "2028-03-02", None),
        ("2026-03-01", ended("2028"), "2027-12-31", "certain"),
        ("2026-03-01", ended("2028"), "2028-01-01", "certain"),
        ("2026-03-01", ended("2028"), "2028-06-01", "possibly"),
        ("2026-03-01", ended("2028"), "2029-01-01", None),
        ("2026-03-01", ended(None), "2031-06-01", "date unknown"),
        ("2026-03-01", ended(None), RECORDED, "date unknown"),
        ("2026-03-01", ended(None), "2032-01-06", None),
        (None, None, "2031-06-01", "date unknown"),
        (None, None, RECORDED, "certain"),
        ("2028", ended("2028"), "2028-06-01", "possibly"),
    ],
)
def test_a_membership_holds_from_its_first_to_its_last_day(
    began_on: str | None, end: Event | None, day: str, certainty: str | None
) -> None:
    state = a_membership(*([end] if end else []), began_on=began_on)
    standing = standing_on(state, date.fromisoformat(day))
    assert (standing.certainty if standing else None) == certainty
    assert standing is None or bool(standing.because) == (certainty != "certain")


def test_a_corrected_beginning_without_a_date_may_be_of_any_day() -> None:
    state = a_membership(corrected(1, BEGAN), began_on=None)
    standing = standing_on(state, date(2032, 6, 1))
    assert standing is not None
    assert standing.because == ("The date of its beginning is not on record.",)


def test_a_void_end_lets_the_membership_hold_and_a_corrected_one_moves_its_last_day() -> None:
    void = RecordVoided(voids=2, reason="Synthetic")
    assert standing_on(a_membership(ended("2028"), void), date(2029, 1, 1)) is not None
    moved = a_membership(ended("2028"), corrected(2, ended("2027-05-01")))
    assert standing_on(moved, date(2027, 5, 2)) is None


CHANGES = (
    ExpertDetailsChanged(changed_on="2027", institution="Synthetic Ministry", category="official"),
    ExpertDetailsChanged(changed_on="2026-09-01", institution="Synthetic University", themes=("Clean air for all",)),
)


@pytest.mark.parametrize(
    ("day", "institution", "category", "themes", "possibly"),
    [
        ("2026-08-31", "Synthetic Institute", "academia", (), 0),
        ("2026-09-01", "Synthetic University", "academia", ("Clean air for all",), 0),
        ("2027-06-01", "Synthetic University", "academia", ("Clean air for all",), 1),
        ("2027-12-31", "Synthetic Ministry", "official", ("Clean air for all",), 0),
    ],
)
def test_particulars_are_those_of_the_day_whenever_they_were_recorded(
    day: str, institution: str, category: str, themes: tuple[str, ...], possibly: int
) -> None:
    particulars = particulars_on(a_membership(*CHANGES), NOMINATED, date.fromisoformat(day))
    assert (particulars.institution, particulars.category, particulars.themes) == (institution, category, themes)
    assert len(particulars.possibly) == possibly


def test_of_one_day_the_change_recorded_last_counts_and_a_void_one_does_not() -> None:
    again = ExpertDetailsChanged(changed_on="2027-12-31", institution="Synthetic Academy")
    assert particulars_on(a_membership(*CHANGES, again), NOMINATED, None).institution == "Synthetic Academy"
    void = RecordVoided(voids=2, reason="Synthetic")
    assert particulars_on(a_membership(*CHANGES, void), NOMINATED, None).institution == "Synthetic University"


def test_new_details_take_the_place_of_the_nominations_and_an_amendment_is_followed() -> None:
    renamed = Sealed(person="synthetic-person", box="B" * 40)
    change = ExpertDetailsChanged(changed_on="2027", sealed=renamed)
    assert particulars_on(a_membership(), NOMINATED, None).sealed == SEALED
    assert particulars_on(a_membership(change), NOMINATED, None).sealed == renamed
    assert particulars_on(a_membership(change), NOMINATED, date(2026, 12, 31)).sealed == SEALED
    amended = NominationAmended(**PAPER | {"institution": "Synthetic Laboratory"})
    nomination = given(NOMINATION, "nomination/n1", SUBMITTED, amended, NominationAccepted()).state
    assert particulars_on(a_membership(), nominated_in(nomination), None).institution == "Synthetic Laboratory"


def test_details_of_another_person_are_not_a_members() -> None:
    other = SUBMITTED.model_copy(update={"sealed": Sealed(person="synthetic-other", box="A" * 40)})
    nomination = given(NOMINATION, "nomination/n1", other).state
    assert particulars_on(a_membership(), nominated_in(nomination), None).sealed is None


def test_a_membership_that_outlives_its_nomination_keeps_what_that_said() -> None:
    void = given(NOMINATION, "nomination/n1", SUBMITTED, RecordVoided(voids=1, reason="Synthetic")).state
    assert particulars_on(a_membership(), nominated_in(void), None).institution == "Synthetic Institute"
    assert particulars_on(a_membership(), nominated_in(Absent()), None).institution is None


def replacing(key: str, replaced: str | None) -> OnRecord:
    began = MembershipBegan(membership=key, nomination=key, person=f"p-{key}", member="FJI", replaces=replaced)
    state: OnRecord = given(MEMBERSHIP, f"membership/{key}", began).state
    return state


def test_a_chain_names_who_replaced_whom_from_either_end() -> None:
    replaced = {"a": None, "b": "a", "c": "b", "other": None, "lost": "gone"}
    memberships = {key: replacing(key, each) for key, each in replaced.items()}
    for key in "abc":
        assert chain_of(key, memberships, replacements(memberships)) == ["a", "b", "c"]
    assert chain_of("other", memberships, replacements(memberships)) == ["other"]
    assert chain_of("lost", memberships, replacements(memberships)) == ["lost"]


def test_a_chain_ends_although_memberships_replace_each_other() -> None:
    memberships = {"a": replacing("a", "b"), "b": replacing("b", "a")}
    assert sorted(chain_of("a", memberships, replacements(memberships))) == ["a", "b"]

"""A membership begins from an accepted nomination, and ends."""

from __future__ import annotations

import pytest

from services.nominations.commands import BeginMembership, ChangeExpertDetails, EndMembership
from services.nominations.domain.membership import MEMBERSHIP
from services.nominations.domain.nomination import NOMINATION
from services.nominations.domain.rules import (
    ChangedOutsideMembership,
    ChangesNothing,
    MembershipReplacesItself,
    MembershipRestsOnUnknownNomination,
    OnlyTheMembersOwnGovernmentNominates,
    ReplacesAnotherMembersExpert,
)
from shared.domain.rejections import OutOfOrder, Rejection
from shared.events.event import Event
from shared.events.nominations import (
    ExpertDetailsChanged,
    MembershipBegan,
    MembershipEnded,
    NominationAccepted,
    NominationDeclined,
    NominationSubmitted,
    NominationWithdrawn,
)
from shared.events.words import MembershipEnd, words
from tests.given import NOW, Given, given, known
from tests.nominations.synthetic import BEGAN, SEALED, WRITTEN, corrected, membership, nomination

ENDED = MembershipEnded(reason="term_ended", ended_on="2028")
BEGIN = BeginMembership(nomination="n1", began_on="2026-03-01")
ACCEPTED = NominationAccepted()
CHANGE = ChangeExpertDetails(changed_on="2026-07", institution="Synthetic Ministry", themes=())
CHANGED = ExpertDetailsChanged(changed_on="2026-07", institution="Synthetic Ministry", themes=())


def a_membership(*events: Event) -> Given:
    return given(MEMBERSHIP, "membership/n1", *events)


def test_an_accepted_nomination_begins_a_membership_of_its_expert() -> None:
    expected = MembershipBegan(
        membership="n1", nomination="n1", person="synthetic-person", member="FJI", began_on="2026-03-01"
    )
    a_membership().knowing(nomination(ACCEPTED)).when(BEGIN, role="system").then(expected).then_stage("active")


def test_a_membership_takes_capacity_and_replaced_membership_from_the_nomination() -> None:
    written = NominationSubmitted(**WRITTEN | {"capacity": "alternate", "replaces": "earlier"})
    facts = known(NOMINATION, "nomination/n1", written, ACCEPTED)
    expected = BEGAN.model_copy(update={"capacity": "alternate", "replaces": "earlier"})
    a_membership().knowing(facts).when(BeginMembership(nomination="n1")).then(expected)


@pytest.mark.parametrize(
    "history", [(), (NominationDeclined(ground="duplicate"),), (ACCEPTED, NominationWithdrawn())], ids=str
)
def test_a_nomination_that_is_not_accepted_begins_no_membership(history: tuple[Event, ...]) -> None:
    refused = a_membership().knowing(nomination(*history)).when(BEGIN).then_refused(OutOfOrder)
    assert refused.facts()["stream"] == "nomination/n1"


def test_a_membership_does_not_begin_from_a_nomination_that_is_not_on_record() -> None:
    refused = a_membership().when(BEGIN).then_refused(MembershipRestsOnUnknownNomination)
    assert refused.kind == "reference"


@pytest.mark.parametrize("history", [(BEGAN,), (BEGAN, ENDED)], ids=["active", "ended"])
def test_a_membership_does_not_begin_twice(history: tuple[Event, ...]) -> None:
    a_membership(*history).knowing(nomination(ACCEPTED)).when(BEGIN).then_refused(OutOfOrder)


@pytest.mark.parametrize("reason", words(MembershipEnd))
def test_an_active_membership_ends(reason: str) -> None:
    ended = {"reason": reason, "ended_on": "2028"}
    outcome = a_membership(BEGAN).when(EndMembership.model_validate(ended))
    outcome.then(MembershipEnded.model_validate(ended)).then_stage("ended")


@pytest.mark.parametrize("history", [(), (BEGAN, ENDED)], ids=["not on record", "ended"])
def test_a_membership_that_is_not_active_does_not_end(history: tuple[Event, ...]) -> None:
    a_membership(*history).when(EndMembership(reason="term_ended")).then_refused(OutOfOrder)


@pytest.mark.parametrize("history", [(BEGAN,), (BEGAN, ENDED)], ids=["active", "ended"])
@pytest.mark.parametrize(("role", "member"), [("secretariat", None), ("focal_point", "FJI")])
def test_secretariat_and_own_government_record_what_changed_about_an_expert(
    role: str, member: str | None, history: tuple[Event, ...]
) -> None:
    outcome = a_membership(*history).when(CHANGE, role=role, member=member)
    outcome.then(CHANGED).then_stage("ended" if ENDED in history else "active")


def test_another_government_changes_nothing_and_learns_no_stage() -> None:
    for history in ((BEGAN,), (BEGAN, ENDED)):
        outcome = a_membership(*history).when(CHANGE, role="focal_point", member="KHM")
        refused = outcome.then_refused(OnlyTheMembersOwnGovernmentNominates)
        assert (refused.withholds, refused.paragraph) == (True, "20")


def test_a_focal_point_learns_no_difference_of_anothers_membership_and_none() -> None:
    refusals = [
        a_membership(*history).when(CHANGE, role="focal_point", member="KHM").decision
        for history in ((), (BEGAN,), (BEGAN, ENDED))
    ]
    assert refusals == [OnlyTheMembersOwnGovernmentNominates("membership/n1")] * 3


def test_of_a_membership_that_is_not_on_record_nothing_changes() -> None:
    a_membership().when(CHANGE).then_refused(OutOfOrder)


def test_a_change_states_what_changed() -> None:
    refused = a_membership(BEGAN).when(ChangeExpertDetails(changed_on="2027")).then_refused(ChangesNothing)
    assert "give at least one of details, institution" in refused.sentence()


@pytest.mark.parametrize(
    ("on", "beyond"),
    [("2026-02-28", "before the beginning"), ("2029", "after the end"), ("2026", ""), ("2028-12-31", "")],
)
def test_details_change_within_the_membership(on: str, beyond: str) -> None:
    history = (BEGAN.model_copy(update={"began_on": "2026-03-01"}), ENDED)
    command = CHANGE.model_copy(update={"changed_on": on})
    outcome = a_membership(*history).when(command)
    if not beyond:
        outcome.then(CHANGED.model_copy(update={"changed_on": on}))
    else:
        assert beyond in outcome.then_refused(ChangedOutsideMembership).sentence()


def test_changes_are_listed_in_the_order_of_their_record_and_follow_corrections() -> None:
    second = ExpertDetailsChanged(changed_on="2026-05", category="official", sealed=SEALED)
    right = second.model_copy(update={"changed_on": "2026-06"})
    state = a_membership(BEGAN, CHANGED, second, ENDED, corrected(3, right)).state
    assert [(each.change, each.versions) for each in state.changes] == [(CHANGED, (2,)), (right, (3, 5))]
    assert (state.stage, state.versions) == ("ended", (1, 2, 3, 5, 4))


def test_an_undated_fact_had_happened_by_the_day_of_its_record_unless_it_was_corrected() -> None:
    state = a_membership(BEGAN, ENDED).state
    assert (state.began_by, state.ended_by) == ("2032-01-05", "2032-01-05")
    assert a_membership(BEGAN, ENDED, corrected(1, BEGAN)).state.began_by is None


def test_a_change_without_a_beginning_is_ignored() -> None:
    assert a_membership(CHANGED).state.stage == "absent"


def test_lists_filter_memberships_by_stage_member_person_and_nomination() -> None:
    assert MEMBERSHIP.facets(a_membership(BEGAN, ENDED).state) == {
        "stage": "ended",
        "member": "FJI",
        "person": "synthetic-person",
        "nomination": "n1",
        "capacity": "principal",
    }
    replacing = BEGAN.model_copy(update={"replaces": "n0"})
    assert MEMBERSHIP.facets(a_membership(replacing).state)["keys"] == ["n0"]
    assert MEMBERSHIP.facets(a_membership().state) == {"stage": "absent"}


def test_a_beginning_may_be_corrected_after_the_end() -> None:
    right = BEGAN.model_copy(update={"began_on": "2026-02"})
    state = a_membership(BEGAN, ENDED, corrected(1, right)).state
    assert (state.stage, state.began.began_on, state.versions) == ("ended", "2026-02", (1, 3, 2))


@pytest.mark.parametrize(
    ("replaces", "rule"), [("n1", MembershipReplacesItself), ("theirs", ReplacesAnotherMembersExpert)]
)
def test_a_correction_does_not_let_a_membership_replace_itself_or_another_members(
    replaces: str, rule: type[Rejection]
) -> None:
    event = BEGAN.model_copy(update={"replaces": replaces})
    facts = membership("theirs", "KHM") | membership("n1", "FJI")
    refused = MEMBERSHIP.refusal_of(a_membership().state, event, stream="membership/n1", facts=facts, now=NOW)
    assert isinstance(refused, rule)


def test_an_end_without_a_beginning_is_ignored() -> None:
    assert a_membership(ENDED).state.stage == "absent"


def test_a_correction_is_checked_for_the_streams_that_it_names() -> None:
    replacing = BEGAN.model_copy(update={"replaces": "earlier"})
    assert MEMBERSHIP.names(replacing) == {"nomination/n1", "membership/earlier"}
    assert MEMBERSHIP.names(BEGAN) == {"nomination/n1"}
    assert MEMBERSHIP.names(ENDED) == frozenset()

"""A membership begins from an accepted nomination, and ends."""

from __future__ import annotations

import pytest

from services.nominations.commands import BeginMembership, EndMembership
from services.nominations.domain.membership import MEMBERSHIP
from services.nominations.domain.nomination import NOMINATION
from services.nominations.domain.rules import (
    MembershipReplacesItself,
    MembershipRestsOnUnknownNomination,
    ReplacesAnotherMembersExpert,
)
from shared.domain.rejections import OutOfOrder, Rejection
from shared.events.event import Event
from shared.events.nominations import (
    MembershipBegan,
    MembershipEnded,
    NominationAccepted,
    NominationDeclined,
    NominationSubmitted,
    NominationWithdrawn,
)
from shared.events.words import MembershipEnd, words
from tests.given import NOW, Given, given, known
from tests.nominations.synthetic import BEGAN, WRITTEN, corrected, membership, nomination

ENDED = MembershipEnded(reason="term_ended", ended_on="2028")
BEGIN = BeginMembership(nomination="n1", began_on="2026-03-01")
ACCEPTED = NominationAccepted()


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

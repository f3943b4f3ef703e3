"""A nomination from submission to registration, refusal or withdrawal."""

from __future__ import annotations

import pytest

from services.nominations.commands import (
    AcceptNomination,
    AmendNomination,
    DeclineNomination,
    ResubmitNomination,
    ReturnNomination,
    SubmitNomination,
    WithdrawNomination,
)
from services.nominations.domain.nomination import NOMINATION
from services.nominations.domain.rules import (
    NominationNamesUnknownCall,
    NominationReplacesUnknownMembership,
    OnlyMembersAndAssociateMembersNominate,
    OnlyTheMembersOwnGovernmentNominates,
    ReplacesAnotherMembersExpert,
)
from shared.domain.aggregate import Command
from shared.domain.members import MEMBERS
from shared.domain.rejections import OutOfOrder
from shared.events.event import Event
from shared.events.nominations import (
    NominationAccepted,
    NominationAmended,
    NominationDeclined,
    NominationResubmitted,
    NominationReturned,
    NominationSubmitted,
    NominationWithdrawn,
)
from shared.events.values import Sealed
from shared.events.words import DeclineGround, words
from tests.given import NOW, Given, given
from tests.nominations.synthetic import (
    CLOSED_CALL,
    OPEN_CALL,
    PAPER,
    SUBMITTED,
    WRITTEN,
    corrected,
    membership,
)

RETURNED = NominationReturned(reason="The category is missing", returned_on="2026-02")
RESUBMITTED = NominationResubmitted(**PAPER | {"category": "official"}, resubmitted_on="2026-03")
AMENDED = NominationAmended(**PAPER | {"category": "other"}, amended_on="2026-02-15")
ACCEPTED = NominationAccepted(accepted_on="2026-03-01")
DECLINED = NominationDeclined(ground="duplicate")
WITHDRAWN = NominationWithdrawn(withdrawn_on="2026-04")

SUBMIT = SubmitNomination(**WRITTEN)
RESUBMIT = ResubmitNomination(**PAPER | {"category": "official"}, resubmitted_on="2026-03")
RETURN = ReturnNomination(reason="The category is missing", returned_on="2026-02")
AMEND = AmendNomination(**PAPER | {"category": "other"}, amended_on="2026-02-15")
ACCEPT = AcceptNomination(accepted_on="2026-03-01")
DECLINE = DeclineNomination(ground="duplicate")
WITHDRAW = WithdrawNomination(withdrawn_on="2026-04")

HISTORIES: dict[str, tuple[Event, ...]] = {
    "not on record": (),
    "submitted": (SUBMITTED,),
    "returned": (SUBMITTED, RETURNED),
    "resubmitted": (SUBMITTED, RETURNED, RESUBMITTED),
    "amended": (SUBMITTED, AMENDED),
    "accepted": (SUBMITTED, ACCEPTED),
    "declined": (SUBMITTED, DECLINED),
    "withdrawn": (SUBMITTED, WITHDRAWN),
}
UNDECIDED = {"submitted", "resubmitted", "amended"}
FITS: dict[str, tuple[Command, Event, str, set[str]]] = {
    "SubmitNomination": (SUBMIT, SUBMITTED, "submitted", {"not on record"}),
    "ReturnNomination": (RETURN, RETURNED, "returned", UNDECIDED),
    "ResubmitNomination": (RESUBMIT, RESUBMITTED, "submitted", {"returned"}),
    "AmendNomination": (AMEND, AMENDED, "submitted", UNDECIDED),
    "AcceptNomination": (ACCEPT, ACCEPTED, "accepted", UNDECIDED),
    "DeclineNomination": (DECLINE, DECLINED, "declined", UNDECIDED | {"returned"}),
    "WithdrawNomination": (WITHDRAW, WITHDRAWN, "withdrawn", UNDECIDED | {"returned", "accepted"}),
}


BEFORE: dict[type[Command], tuple[Event, ...]] = {
    SubmitNomination: (),
    ResubmitNomination: (SUBMITTED, RETURNED),
    AmendNomination: (SUBMITTED,),
    WithdrawNomination: (SUBMITTED, RETURNED),
}


def a_nomination(*events: Event) -> Given:
    return given(NOMINATION, "nomination/n1", *events)


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("command", FITS)
def test_each_command_is_accepted_in_its_own_stages_only(command: str, history: str) -> None:
    request, event, stage, fits = FITS[command]
    outcome = a_nomination(*HISTORIES[history]).when(request)
    if history in fits:
        outcome.then(event).then_stage(stage)
    else:
        refused = outcome.then_refused(OutOfOrder)
        assert refused.facts()["state"] == ("submitted" if history in UNDECIDED else history)


@pytest.mark.parametrize("member", sorted(MEMBERS))
def test_each_of_the_62_members_and_associate_members_may_nominate(member: str) -> None:
    command = SubmitNomination(**WRITTEN | {"member": member})
    expected = NominationSubmitted(**WRITTEN | {"member": member})
    a_nomination().when(command, role="focal_point", member=member).then(expected)


def test_there_are_53_members_and_9_associate_members() -> None:
    kinds = [member.kind for member in MEMBERS.values()]
    assert (kinds.count("member"), kinds.count("associate_member")) == (53, 9)


@pytest.mark.parametrize("role", ["secretariat", "focal_point"])
def test_a_state_outside_escap_does_not_nominate(role: str) -> None:
    command = SubmitNomination(**WRITTEN | {"member": "BRA"})
    refused = a_nomination().when(command, role=role, member="BRA").then_refused(OnlyMembersAndAssociateMembersNominate)
    assert (refused.kind, refused.paragraph) == ("note", "20-21")


@pytest.mark.parametrize("command", [SUBMIT, RESUBMIT, AMEND, WITHDRAW], ids=lambda command: type(command).__name__)
def test_another_members_focal_point_does_not_speak_for_this_government(command: Command) -> None:
    history = () if command is SUBMIT else (SUBMITTED, RETURNED)
    refused = a_nomination(*history).when(command, role="focal_point", member="KHM")
    rule = refused.then_refused(OnlyTheMembersOwnGovernmentNominates)
    assert (rule.kind, rule.paragraph) == ("note", "20")


@pytest.mark.parametrize("command", [SUBMIT, RESUBMIT, AMEND, WITHDRAW], ids=lambda command: type(command).__name__)
def test_the_members_own_focal_point_speaks_for_its_government(command: Command) -> None:
    history = BEFORE[type(command)]
    event = FITS[type(command).__name__][1]
    a_nomination(*history).when(command, role="focal_point", member="FJI").then(event)


def test_a_focal_point_without_a_member_speaks_for_nobody() -> None:
    a_nomination().when(SUBMIT, role="focal_point").then_refused(OnlyTheMembersOwnGovernmentNominates)


def test_a_refusal_to_another_members_focal_point_hides_the_stage() -> None:
    closed = a_nomination(SUBMITTED, DECLINED).when(WITHDRAW, role="focal_point", member="KHM")
    closed.then_refused(OnlyTheMembersOwnGovernmentNominates)


@pytest.mark.parametrize("command", [RESUBMIT, AMEND, WITHDRAW], ids=lambda command: type(command).__name__)
def test_a_focal_point_learns_no_difference_of_anothers_nomination_and_none(command: Command) -> None:
    refusals = [
        a_nomination(*history).when(command, role="focal_point", member="KHM").decision
        for history in ((), (SUBMITTED,), (SUBMITTED, DECLINED))
    ]
    assert refusals == [OnlyTheMembersOwnGovernmentNominates("nomination/n1")] * 3


@pytest.mark.parametrize("command", [SubmitNomination, ResubmitNomination, AmendNomination])
def test_a_focal_point_learns_no_difference_of_anothers_membership_and_none(command: type[Command]) -> None:
    request = command.model_validate((PAPER if BEFORE[command] else WRITTEN) | {"replaces": "theirs"})
    before = a_nomination(*BEFORE[command])
    refusals = [
        each.when(request, role="focal_point", member="FJI").decision
        for each in (before, before.knowing(membership("theirs", "KHM")))
    ]
    assert refusals == [OnlyTheMembersOwnGovernmentNominates("membership/theirs")] * 2


def test_a_focal_point_that_submits_for_another_member_does_not_learn_that_the_id_is_taken() -> None:
    refusals = [
        a_nomination(*history).when(SUBMIT, role="focal_point", member="KHM").decision for history in ((), (SUBMITTED,))
    ]
    assert refusals == [OnlyTheMembersOwnGovernmentNominates("nomination/n1")] * 2


def test_the_secretariat_registers_for_a_government_only_with_its_note_verbale() -> None:
    with pytest.raises(ValueError, match="note_verbale"):
        SubmitNomination(**{name: value for name, value in WRITTEN.items() if name != "note_verbale"})


def test_a_nomination_answers_a_call_that_is_open() -> None:
    command = SubmitNomination(**WRITTEN, call="synthetic-call")
    a_nomination().knowing(OPEN_CALL).when(command).then(NominationSubmitted(**WRITTEN, call="synthetic-call"))


def test_a_nomination_does_not_answer_a_closed_call() -> None:
    command = SubmitNomination(**WRITTEN, call="synthetic-call")
    refused = a_nomination().knowing(CLOSED_CALL).when(command).then_refused(OutOfOrder)
    assert refused.facts() == {"command": "SubmitNomination", "stream": "call/synthetic-call", "state": "closed"}


def test_a_nomination_does_not_answer_a_call_that_is_not_on_record() -> None:
    command = SubmitNomination(**WRITTEN, call="synthetic-call")
    refused = a_nomination().when(command).then_refused(NominationNamesUnknownCall)
    assert refused.kind == "reference"


def test_a_nomination_may_replace_a_membership_on_record() -> None:
    command = SubmitNomination(**WRITTEN, replaces="earlier")
    outcome = a_nomination().knowing(membership("earlier", "FJI")).when(command, role="focal_point", member="FJI")
    outcome.then(NominationSubmitted(**WRITTEN, replaces="earlier"))


@pytest.mark.parametrize("command", [SubmitNomination, ResubmitNomination, AmendNomination])
def test_a_nomination_does_not_replace_a_membership_that_is_not_on_record(command: type[Command]) -> None:
    request = command.model_validate((PAPER if BEFORE[command] else WRITTEN) | {"replaces": "nobody"})
    refused = a_nomination(*BEFORE[command]).when(request).then_refused(NominationReplacesUnknownMembership)
    assert refused.kind == "reference"


def test_a_focal_point_does_not_replace_another_members_expert() -> None:
    command = SubmitNomination(**WRITTEN, replaces="theirs")
    outcome = a_nomination().knowing(membership("theirs", "KHM")).when(command, role="focal_point", member="FJI")
    outcome.then_refused(OnlyTheMembersOwnGovernmentNominates)


@pytest.mark.parametrize("command", [SubmitNomination, ResubmitNomination, AmendNomination])
def test_nobody_replaces_another_members_expert(command: type[Command]) -> None:
    history = BEFORE[command]
    request = command.model_validate((PAPER if history else WRITTEN) | {"replaces": "theirs"})
    outcome = a_nomination(*history).knowing(membership("theirs", "KHM")).when(request)
    refused = outcome.then_refused(ReplacesAnotherMembersExpert)
    assert (refused.kind, refused.paragraph) == ("note", "20")
    assert "membership/theirs is of KHM" in refused.sentence()


@pytest.mark.parametrize("event", [SUBMITTED, RESUBMITTED, AMENDED], ids=str)
def test_a_correction_does_not_name_another_members_expert(event: Event) -> None:
    corrected_event = event.model_copy(update={"replaces": "theirs"})
    before, foreign = a_nomination(SUBMITTED, RETURNED).state, membership("theirs", "KHM")
    refused = NOMINATION.refusal_of(before, corrected_event, stream="nomination/n1", facts=foreign, now=NOW)
    assert isinstance(refused, ReplacesAnotherMembersExpert)
    ours = membership("theirs", "FJI")
    assert NOMINATION.refusal_of(before, corrected_event, stream="nomination/n1", facts=ours, now=NOW) is None


def test_a_nomination_that_once_replaced_another_members_expert_still_folds() -> None:
    assert a_nomination(SUBMITTED.model_copy(update={"replaces": "theirs"})).state.particulars.replaces == "theirs"


@pytest.mark.parametrize("ground", words(DeclineGround))
def test_a_nomination_is_declined_on_each_named_ground(ground: str) -> None:
    command = DeclineNomination.model_validate({"ground": ground})
    a_nomination(SUBMITTED).when(command).then(NominationDeclined.model_validate({"ground": ground}))


@pytest.mark.parametrize("ground", [{}, {"ground": "not convincing"}])
def test_a_nomination_is_not_declined_on_any_other_ground(ground: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="ground"):
        DeclineNomination.model_validate(ground)


def test_a_resubmission_replaces_the_whole_nomination() -> None:
    other = Sealed(person="synthetic-person-2", box="B" * 40)
    again = RESUBMITTED.model_copy(update={"sealed": other})
    now = a_nomination(SUBMITTED, RETURNED, again).state.particulars
    assert (now.category, now.person, now.sealed, now.member) == ("official", "synthetic-person-2", other, "FJI")


def test_an_amendment_replaces_the_whole_nomination_and_it_waits_since_its_submission() -> None:
    other = Sealed(person="synthetic-person-2", box="B" * 40)
    amended = AMENDED.model_copy(update={"sealed": other, "capacity": "alternate"})
    before, after = a_nomination(SUBMITTED).state, a_nomination(SUBMITTED, amended).state
    now = after.particulars
    assert (now.category, now.capacity, now.person, now.sealed) == ("other", "alternate", "synthetic-person-2", other)
    assert (after.since, after.submitted_at, after.amended_on) == (before.since, before.submitted_at, "2026-02-15")
    assert after.versions == (1, 2)


def test_a_nomination_is_in_its_stage_since_the_event_that_led_to_it() -> None:
    returned, again = (a_nomination(*HISTORIES[name]).state for name in ("returned", "resubmitted"))
    assert returned.submitted_at == again.submitted_at < returned.since < again.since


def test_lists_filter_nominations_by_the_governments_fields() -> None:
    written = SUBMITTED.model_copy(update={"themes": ("Clean air for all",), "call": "synthetic-call"})
    assert NOMINATION.facets(a_nomination(written, ACCEPTED).state) == {
        "stage": "accepted",
        "member": "FJI",
        "call": "synthetic-call",
        "category": "academia",
        "capacity": "principal",
        "person": "synthetic-person",
        "theme": ["Clean air for all"],
        "submitted": "2032-01-05",
    }
    dated = written.model_copy(update={"submitted_on": "2026-01"})
    assert NOMINATION.facets(a_nomination(dated).state)["submitted"] == "2026-01"
    assert NOMINATION.facets(a_nomination().state) == {"stage": "absent"}


def test_a_correction_replaces_the_submission_and_not_the_resubmission() -> None:
    right = SUBMITTED.model_copy(update={"institution": "Synthetic University", "submitted_on": "2026-01"})
    state = a_nomination(SUBMITTED, ACCEPTED, corrected(1, right)).state
    assert (state.stage, state.particulars.institution) == ("accepted", "Synthetic University")
    assert state.versions == (1, 3, 2)
    later = a_nomination(SUBMITTED, RETURNED, RESUBMITTED, corrected(1, right)).state
    assert (later.particulars.institution, later.particulars.submitted_on) == ("Synthetic Institute", "2026-01")


@pytest.mark.parametrize("event", [RETURNED, RESUBMITTED, AMENDED, ACCEPTED, DECLINED, WITHDRAWN])
def test_events_without_a_submission_are_ignored(event: Event) -> None:
    assert a_nomination(event).state.stage == "absent"


def test_an_event_against_the_rules_is_still_folded() -> None:
    assert a_nomination(SUBMITTED, DECLINED, ACCEPTED).state.stage == "accepted"
    amended = a_nomination(SUBMITTED, ACCEPTED, AMENDED).state
    assert (amended.stage, amended.particulars.category) == ("accepted", "other")


def test_a_correction_is_checked_for_the_streams_that_it_names() -> None:
    written = SUBMITTED.model_copy(update={"call": "synthetic-call", "replaces": "earlier"})
    assert NOMINATION.names(written) == {"call/synthetic-call", "membership/earlier"}
    for again in (RESUBMITTED, AMENDED):
        assert NOMINATION.names(again.model_copy(update={"replaces": "earlier"})) == {"membership/earlier"}
    assert NOMINATION.names(SUBMITTED) == NOMINATION.names(ACCEPTED) == frozenset()

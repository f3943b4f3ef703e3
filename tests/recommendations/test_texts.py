"""A text that was adopted is fixed: numbered versions, adopted and transmitted each for itself."""

from __future__ import annotations

from typing import Any, cast

import pytest
from pydantic import ValidationError

from services.recommendations.commands import (
    AdoptRecommendation,
    RecordDisposition,
    ReportFollowUp,
    ReviseRecommendation,
    TransmitRecommendation,
)
from services.recommendations.domain import rules, text_rules
from services.recommendations.domain.recommendation import RECOMMENDATION
from services.recommendations.domain.registers import SESSION
from services.recommendations.projection import OWN as OWN_AGGREGATES
from shared.domain.correction_rules import CorrectionBreaksSchema
from shared.domain.facts import facts_of
from shared.domain.rejections import OutOfOrder, Rejection
from shared.events import recommendations as r
from shared.events.canonical import canonical
from shared.events.event import Event
from shared.store.command_handler import CommandHandler
from shared.store.correcting import CorrectRecord
from shared.store.event_store import Commit
from tests.given import a_context, known, recorded
from tests.recommendations.synthetic import HELD, OLD, OWN, THIRD_SESSION, a_recommendation, adopted, cited, drafted
from tests.simulate.in_memory import RefusalsInMemory, StoreInMemory

ADOPTED = r.RecommendationAdopted(
    meeting="m1", adopted_on="2030-03-01", text_version=1, seen={"stream": "meeting/m1", "version": 1}
)
REVISED = r.RecommendationRevised(text="Synthetic text")
SENT = r.RecommendationTransmitted(session=3, text_version=1)
RETURNED = r.CommitteeDispositionRecorded(session=3, outcome="returned")
REVISE = ReviseRecommendation(text="Another synthetic text")
ADOPT = AdoptRecommendation(meeting="m1")
FOURTH_SESSION = known(SESSION, "session/4", r.CommitteeSessionRecorded(session=4))
KNOWN = OLD | THIRD_SESSION | HELD


def test_a_draft_is_revised_freely():
    a_recommendation(REVISED).when(REVISE).then(r.RecommendationRevised(text="Another synthetic text"))


def test_an_adoption_records_the_latest_text_version():
    adoption = ADOPTED.model_copy(update={"text_version": 2})
    a_recommendation(REVISED).knowing(KNOWN).when(ADOPT).then(adoption)


def test_an_adoption_may_name_its_text_version():
    a_recommendation(REVISED).knowing(KNOWN).when(ADOPT.model_copy(update={"text_version": 1})).then(ADOPTED)


@pytest.mark.parametrize("number", [2, 4, 9])
def test_an_adoption_names_an_event_that_stated_a_text(number: int):
    themes = r.RecommendationRevised(themes=("Synthetic",))
    command = ADOPT.model_copy(update={"text_version": number})
    refusal = (
        a_recommendation(themes, REVISED).knowing(KNOWN).when(command).then_refused(text_rules.TextVersionNotOnRecord)
    )
    assert "there are 1, 3" in refusal.sentence()


def test_a_revised_text_is_adopted_anew_before_it_is_transmitted():
    revised = a_recommendation(cited, ADOPTED, REVISED).knowing(KNOWN)
    refusal = revised.when(TransmitRecommendation(session=3)).then_refused(text_rules.TextVersionNotAdopted)
    assert "version 4" in refusal.sentence()
    again = ADOPTED.model_copy(update={"text_version": 4})
    revised.when(ADOPT).then(again).then_stage("adopted")
    sent = r.RecommendationTransmitted(session=3, text_version=4)
    a_recommendation(cited, ADOPTED, REVISED, again).knowing(KNOWN).when(TransmitRecommendation(session=3)).then(sent)


def test_the_adopted_version_may_be_transmitted_while_a_later_one_is_not_adopted():
    command = TransmitRecommendation(session=3, text_version=1)
    a_recommendation(cited, ADOPTED, REVISED).knowing(KNOWN).when(command).then(SENT)


def test_a_text_version_is_adopted_once():
    a_recommendation(REVISED, ADOPTED).knowing(KNOWN).when(ADOPT.model_copy(update={"text_version": 1})).then_refused(
        OutOfOrder
    )


@pytest.mark.parametrize(
    "change",
    [{"themes": ("Another",)}, {"addressees": ("Synthetic",)}, {"kinds": ("policy",)}, {"title": "Synthetic title"}],
    ids=["themes", "addressees", "kinds", "the same title"],
)
def test_what_is_no_new_text_needs_no_new_adoption(change: dict[str, object]):
    revise = a_recommendation(cited, ADOPTED).when(ReviseRecommendation.model_validate(change))
    assert isinstance(revise.decision, list)
    a_recommendation(cited, ADOPTED, *revise.decision).knowing(KNOWN).when(TransmitRecommendation(session=3)).then(SENT)


@pytest.mark.parametrize("disposition", [None, "deferred"])
def test_a_text_before_the_committee_is_not_revised(disposition: str | None):
    disposed = [RETURNED.model_copy(update={"outcome": disposition})] if disposition else []
    before = a_recommendation(cited, ADOPTED, SENT, *disposed)
    refusal = before.when(REVISE).then_refused(text_rules.TextIsBeforeTheCommittee)
    assert "`dispose`" in refusal.sentence()
    assert "`clerical`" in refusal.sentence()
    before.when(ReviseRecommendation(themes=("Another",))).then(r.RecommendationRevised(themes=("Another",)))


@pytest.mark.parametrize("before", [(), (SENT,)], ids=["adopted", "before the Committee"])
def test_a_slip_is_put_right_by_a_clerical_version_without_a_new_adoption(before: tuple[Event, ...]):
    clerical = r.RecommendationRevised(title="Synthetic title, spelt right", clerical=True)
    command = ReviseRecommendation(title="Synthetic title, spelt right", clerical=True)
    a_recommendation(cited, ADOPTED, *before).when(command).then(clerical)
    sent = r.RecommendationTransmitted(session=3, text_version=4)
    a_recommendation(cited, ADOPTED, clerical).knowing(KNOWN).when(TransmitRecommendation(session=3)).then(sent)


def test_a_clerical_version_follows_an_adopted_one():
    command = ReviseRecommendation(title="Synthetic title, spelt right", clerical=True)
    for events in ((), (ADOPTED, REVISED)):
        a_recommendation(*events).when(command).then_refused(text_rules.ClericalVersionFollowsNoAdoptedText)


def test_a_clerical_version_states_a_title_or_a_text():
    with pytest.raises(ValidationError, match="clerical"):
        ReviseRecommendation(themes=("Synthetic",), clerical=True)


def judged(version: int, data: Event, *events: Event) -> Rejection | None:
    """Return the refusal of other data for a version of the synthetic recommendation."""
    before = facts_of(recorded(OWN, drafted, *events))
    after = [fact._replace(data=data) if fact.versions[0] == version else fact for fact in before]
    assert RECOMMENDATION.judge_change is not None
    return RECOMMENDATION.judge_change(
        RECOMMENDATION.fold_facts(before), RECOMMENDATION.fold_facts(after), version, OWN
    )


RETITLED = drafted.model_copy(update={"title": "Another synthetic title"})


@pytest.mark.parametrize("more", [{"text": "Other synthetic words"}, {"clerical": True, "title": "Another"}])
def test_a_correction_of_a_revision_adds_no_text_version_once_a_text_is_adopted(more: dict[str, Any]):
    addressed = r.RecommendationRevised(addressees=("Synthetic office",))
    refusal = judged(3, r.RecommendationRevised(addressees=("Synthetic office",), **more), ADOPTED, addressed)
    assert isinstance(refusal, CorrectionBreaksSchema)
    assert "neither adds nor removes a text version" in refusal.sentence()
    assert judged(3, addressed.model_copy(update={"themes": ("Synthetic",)}), ADOPTED, addressed) is None


@pytest.mark.parametrize(
    "events",
    [(ADOPTED,), (adopted,), (REVISED, ADOPTED.model_copy(update={"text_version": 2}))],
    ids=["the adopted one", "one adopted before versions were named", "the title that the adopted one kept"],
)
def test_title_and_text_of_an_adopted_version_are_not_corrected_in_place(events: tuple[Event, ...]):
    refusal = judged(1, RETITLED, *events)
    assert isinstance(refusal, text_rules.AdoptedTextIsFixed)
    assert all(word in refusal.sentence() for word in ("`revise`", "`adopt`", "`clerical`"))


def test_what_is_not_adopted_and_what_is_no_text_is_corrected_in_place():
    assert judged(1, RETITLED) is None
    assert judged(1, drafted.model_copy(update={"themes": ("Another",)}), ADOPTED) is None
    assert judged(3, r.RecommendationRevised(text="Read again"), ADOPTED, REVISED) is None


def test_a_correction_of_an_adoption_names_a_text_version_on_record():
    assert judged(3, ADOPTED.model_copy(update={"text_version": 2}), REVISED, ADOPTED) is None
    assert isinstance(
        judged(2, ADOPTED.model_copy(update={"text_version": 7}), ADOPTED), text_rules.TextVersionNotOnRecord
    )
    unnamed = judged(3, ADOPTED.model_copy(update={"text_version": None}), REVISED, ADOPTED)
    assert isinstance(unnamed, CorrectionBreaksSchema)
    assert "1 so far" in unnamed.sentence()


SECOND = (ADOPTED, REVISED, ADOPTED.model_copy(update={"text_version": 3}))


def test_a_correction_of_a_second_adoption_without_its_text_version_is_refused():
    refusal = judged(4, ADOPTED.model_copy(update={"text_version": None}), *SECOND)
    assert isinstance(refusal, CorrectionBreaksSchema)
    assert "name the version of the text that it concerns (3 so far)" in refusal.sentence()


def test_a_correction_of_an_adoption_that_did_not_count_names_a_text_version_on_record():
    named = adopted.model_copy(update={"text_version": 7})
    assert isinstance(judged(3, named, adopted, adopted), text_rules.TextVersionNotOnRecord)
    assert judged(3, adopted.model_copy(update={"note": "Read again"}), adopted, adopted) is None


def test_an_adoption_from_before_text_versions_counts_once_as_it_did():
    assert a_recommendation(adopted, adopted).state.adoptions == a_recommendation(adopted).state.adoptions


@pytest.mark.parametrize("outcome", ["returned", "unknown"])
def test_what_was_sent_back_is_revised_adopted_and_transmitted_again_to_the_same_session(outcome: str):
    returned = RETURNED.model_copy(update={"outcome": outcome})
    history = [cited, ADOPTED, SENT, returned]
    a_recommendation(*history).when(REVISE).then_stage("disposed")
    history.append(r.RecommendationRevised(text="Another synthetic text"))
    a_recommendation(*history).knowing(KNOWN).when(ADOPT).then_stage("adopted")
    history.append(ADOPTED.model_copy(update={"text_version": 6}))
    a_recommendation(*history).knowing(KNOWN).when(TransmitRecommendation(session=3)).then_stage("transmitted")
    history.append(r.RecommendationTransmitted(session=3, text_version=6))
    again = a_recommendation(*history).knowing(KNOWN).when(RecordDisposition(session=3, outcome="endorsed"))
    again.then_stage("disposed")
    history.append(r.CommitteeDispositionRecorded(session=3, outcome="endorsed"))
    assert [item.transmission for item in a_recommendation(*history).state.disposed] == [4, 8]


@pytest.mark.parametrize("outcome", ["endorsed", "noted", "not_endorsed", "deferred"])
def test_what_was_not_sent_back_is_not_transmitted_to_the_session_again(outcome: str):
    disposed = RETURNED.model_copy(update={"outcome": outcome})
    a_recommendation(cited, ADOPTED, SENT, disposed).knowing(KNOWN).when(
        TransmitRecommendation(session=3)
    ).then_refused(OutOfOrder)


LATER = RecordDisposition(session=4, outcome="endorsed")
DEFERRED = RETURNED.model_copy(update={"outcome": "deferred"})


def test_a_deferred_recommendation_is_disposed_of_at_a_later_session():
    deferred = a_recommendation(cited, ADOPTED, SENT, DEFERRED)
    assert deferred.state.stage == "transmitted"
    done = deferred.knowing(FOURTH_SESSION).when(LATER)
    done.then_stage("disposed")
    assert isinstance(done.decision, list)
    assert a_recommendation(cited, ADOPTED, SENT, DEFERRED, *done.decision).state.disposed[-1].transmission == 4


@pytest.mark.parametrize(
    "events", [(SENT,), (SENT, RETURNED), (SENT, DEFERRED, SENT.model_copy(update={"session": 5}))],
    ids=["no disposition yet", "returned", "transmitted again, elsewhere"],
)  # fmt: skip
def test_only_what_is_deferred_goes_on_to_a_later_session(events: tuple[Event, ...]):
    a_recommendation(cited, ADOPTED, *events).knowing(FOURTH_SESSION).when(LATER).then_refused(
        rules.RecommendationNotTransmitted
    )


def test_an_earlier_session_does_not_dispose_of_what_was_deferred():
    earlier = RecordDisposition(session=3, outcome="endorsed")
    deferred = DEFERRED.model_copy(update={"session": 4})
    sent = SENT.model_copy(update={"session": 4})
    a_recommendation(cited, ADOPTED, sent, deferred).knowing(KNOWN).when(earlier).then_refused(
        rules.RecommendationNotTransmitted
    )


def test_a_session_that_decided_disposes_of_nothing_again():
    done = RETURNED.model_copy(update={"outcome": "endorsed"})
    again = RecordDisposition(session=3, outcome="noted")
    a_recommendation(cited, ADOPTED, SENT, done).knowing(KNOWN).when(again).then_refused(OutOfOrder)


def test_a_disposition_belongs_to_the_transmission_to_its_own_session_first():
    fourth = SENT.model_copy(update={"session": 4})
    state = a_recommendation(
        cited, ADOPTED, SENT, DEFERRED, fourth, r.CommitteeDispositionRecorded(session=4, outcome="endorsed")
    ).state
    assert [item.transmission for item in state.disposed] == [4, 6]


def test_an_earlier_session_disposes_late_of_what_went_to_it():
    fourth = SENT.model_copy(update={"session": 4})
    events = (cited, ADOPTED, SENT, fourth, r.CommitteeDispositionRecorded(session=3, outcome="noted"))
    state = a_recommendation(*events).state
    assert (state.disposed[0].transmission, state.stage) == (4, "transmitted")


def test_a_follow_up_is_taken_before_any_decision():
    a_recommendation(cited, ADOPTED).when(ReportFollowUp(progress="not_started")).then(
        r.FollowUpReported(progress="not_started")
    )


@pytest.mark.parametrize(("data", "outcome"), [(RETITLED, text_rules.AdoptedTextIsFixed), (drafted, Commit)])
async def test_a_command_handler_asks_the_aggregate_before_it_corrects(data: Event, outcome: type[Rejection | Commit]):
    raws = [canonical(each.model_dump(mode="json", exclude_none=True)) for each in recorded(OWN, drafted, ADOPTED)]
    store, refusals = StoreInMemory({OWN: raws}), RefusalsInMemory()
    handler = CommandHandler(cast(Any, store), cast(Any, refusals), OWN_AGGREGATES, cast(Any, None))
    fields = data.model_dump(mode="json", exclude_none=True)
    command = CorrectRecord(corrects=1, data=fields, reason="Synthetic")
    assert type(await handler.handle(OWN, command, a_context(), record_refusal=False)) is outcome

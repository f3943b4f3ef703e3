import pytest

from services.recommendations.commands import (
    AdoptRecommendation,
    DiscussRecommendation,
    DraftRecommendation,
    RecordCarriage,
    RecordDisposition,
    RecordOrigin,
    ReportFollowUp,
    ReviseRecommendation,
    TransmitRecommendation,
)
from services.recommendations.domain.rules import (
    AdoptionHasNoMeeting,
    MeetingNotHeld,
    NamesUnknownDeliverable,
    NamesUnknownInstrument,
    NamesUnknownPriority,
    NamesUnknownSession,
    OnlySecretariatRecordsAnUnknownAdoption,
    RecommendationCitesNoMandate,
    RecommendationNotAdopted,
    RecommendationNotTransmitted,
)
from shared.domain.rejections import NotHeardYet, OutOfOrder
from shared.events import recommendations as r
from shared.events.values import Evidence, Seen
from tests.recommendations.synthetic import (
    DELIVERED,
    HELD,
    NEW,
    OLD,
    OLD_SUPERSEDED,
    PROPOSED,
    REFERENCE,
    SELECTED,
    THIRD_SESSION,
    a_recommendation,
    adopted,
    cited,
    drafted,
    no_recommendation,
    transmitted,
)

DRAFT = DraftRecommendation(reference=REFERENCE, title="Synthetic title", themes=("Synthetic theme",))
SEEN = Seen(stream="meeting/m1", version=1)
SILENT = AdoptRecommendation(status="unknown", note="Synthetic: the record is silent.")
TRANSMIT = TransmitRecommendation(session=3)
SENT = r.RecommendationTransmitted(session=3, text_version=1)
DISPOSE = RecordDisposition(session=3, outcome="endorsed", on="2030-11-06")


def test_a_recommendation_is_drafted_once():
    no_recommendation().when(DRAFT).then(drafted)
    a_recommendation().when(DRAFT).then_refused(OutOfOrder)


def test_a_draft_names_a_priority_on_record():
    command = DRAFT.model_copy(update={"priority": "p1"})
    no_recommendation().when(command).then_refused(NamesUnknownPriority)
    no_recommendation().knowing(SELECTED).when(command).then_stage("drafted")


def test_a_revision_changes_only_the_fields_that_are_given():
    a_recommendation().when(ReviseRecommendation(title="Another")).then(r.RecommendationRevised(title="Another"))


def test_it_originates_in_a_known_meeting():
    a_recommendation().when(RecordOrigin(meeting="m1")).then_refused(NotHeardYet)
    a_recommendation().knowing(HELD).when(RecordOrigin(meeting="m1")).then(r.OriginRecorded(meeting="m1", seen=SEEN))


def test_it_originates_in_a_paragraph_of_a_document():
    a_recommendation().when(RecordOrigin(document="Synthetic note", paragraph="24 (b)")).then(
        r.OriginRecorded(document="Synthetic note", paragraph="24 (b)")
    )


def test_a_discussion_takes_the_date_of_its_meeting():
    a_recommendation().knowing(HELD).when(DiscussRecommendation(meeting="m1")).then(
        r.RecommendationDiscussed(meeting="m1", on="2030-03-01", seen=SEEN)
    )


def test_a_discussion_at_an_unknown_meeting_waits():
    a_recommendation().when(DiscussRecommendation(meeting="m1")).then_refused(NotHeardYet)


def test_it_is_adopted_at_a_meeting_that_was_held_on_the_one_day_it_lasted():
    a_recommendation().knowing(HELD).when(AdoptRecommendation(meeting="m1")).then(
        r.RecommendationAdopted(meeting="m1", adopted_on="2030-03-01", text_version=1, seen=SEEN)
    )


def test_it_is_not_adopted_at_a_meeting_that_was_not_held():
    a_recommendation().knowing(PROPOSED).when(AdoptRecommendation(meeting="m2")).then_refused(MeetingNotHeld)


def test_it_is_not_adopted_at_an_unknown_meeting():
    a_recommendation().when(AdoptRecommendation(meeting="m1")).then_refused(NotHeardYet)


def test_an_old_record_that_is_silent_adopts_with_status_unknown():
    a_recommendation().when(SILENT).then(adopted.model_copy(update={"text_version": 1}))


@pytest.mark.parametrize("given_up", ["status", "note"])
def test_a_silent_adoption_has_status_unknown_and_a_note(given_up: str):
    a_recommendation().when(SILENT.model_copy(update={given_up: None})).then_refused(AdoptionHasNoMeeting)


def test_only_the_secretariat_records_a_silent_adoption():
    a_recommendation().when(SILENT, role="chair").then_refused(OnlySecretariatRecordsAnUnknownAdoption)


def test_it_is_adopted_once():
    a_recommendation(adopted).when(SILENT).then_refused(OutOfOrder)


def test_it_is_transmitted_after_adoption_with_a_live_mandate():
    a_recommendation(cited, adopted).knowing(OLD | THIRD_SESSION).when(TRANSMIT).then(SENT)


def test_it_is_not_transmitted_before_adoption_was_recorded():
    a_recommendation(cited).knowing(OLD | THIRD_SESSION).when(TRANSMIT).then_refused(RecommendationNotAdopted)


def test_it_is_not_transmitted_to_a_session_that_is_not_on_record():
    a_recommendation(cited, adopted).knowing(OLD).when(TRANSMIT).then_refused(NamesUnknownSession)


def test_a_recommendation_that_cites_no_mandate_is_not_transmitted():
    a_recommendation(adopted).knowing(THIRD_SESSION).when(TRANSMIT).then_refused(RecommendationCitesNoMandate)


def test_a_mandate_superseded_later_was_live_on_the_day_of_transmission():
    a_recommendation(cited, adopted).knowing(OLD_SUPERSEDED | THIRD_SESSION).when(TRANSMIT).then(SENT)


def test_a_mandate_superseded_by_the_day_of_transmission_is_not_live():
    later = TRANSMIT.model_copy(update={"on": "2031-06-01"})
    a_recommendation(cited, adopted).knowing(OLD_SUPERSEDED | THIRD_SESSION).when(later).then_refused(
        RecommendationCitesNoMandate
    )


def test_a_superseded_mandate_that_was_reconfirmed_is_live():
    again = r.CitationReconfirmed(instrument="old", provision="old/ask", superseded_by="new")
    later = TransmitRecommendation(session=3, on="2031-06-01")
    a_recommendation(cited, again, adopted).knowing(OLD_SUPERSEDED | THIRD_SESSION).when(later).then_stage(
        "transmitted"
    )


def test_an_instrument_adopted_after_the_day_of_transmission_was_not_live():
    of_new = r.MandateCited(instrument="new", provision="new/ask")
    a_recommendation(of_new, adopted).knowing(NEW | THIRD_SESSION).when(TRANSMIT).then_refused(
        RecommendationCitesNoMandate
    )


def test_an_uncited_mandate_does_not_count():
    uncited = r.MandateUncited(instrument="old", provision="old/ask", reason="Synthetic")
    a_recommendation(cited, uncited, adopted).knowing(OLD | THIRD_SESSION).when(TRANSMIT).then_refused(
        RecommendationCitesNoMandate
    )


def test_it_is_transmitted_to_a_session_once():
    a_recommendation(cited, adopted, transmitted).knowing(OLD | THIRD_SESSION).when(TRANSMIT).then_refused(OutOfOrder)


def test_a_session_disposes_of_a_recommendation_transmitted_to_it():
    a_recommendation(cited, adopted, transmitted).knowing(THIRD_SESSION).when(DISPOSE).then(
        r.CommitteeDispositionRecorded(session=3, outcome="endorsed", on="2030-11-06")
    )


def test_the_committee_does_not_dispose_of_an_untransmitted_recommendation():
    a_recommendation(cited, adopted).knowing(THIRD_SESSION).when(DISPOSE).then_refused(RecommendationNotTransmitted)


def test_a_session_disposes_once():
    done = r.CommitteeDispositionRecorded(session=3, outcome="deferred")
    a_recommendation(cited, adopted, transmitted, done).knowing(THIRD_SESSION).when(DISPOSE).then_refused(OutOfOrder)


def test_it_is_carried_by_an_instrument_on_record():
    a_recommendation().when(RecordCarriage(instrument="new")).then_refused(NamesUnknownInstrument)
    a_recommendation().knowing(NEW).when(RecordCarriage(instrument="new", on="2031")).then(
        r.RecommendationCarried(instrument="new", on="2031")
    )


def test_a_follow_up_rests_on_evidence_on_record():
    report = ReportFollowUp(progress="implemented", evidence=Evidence(deliverable="d1"), on="2031")
    a_recommendation().when(report).then_refused(NamesUnknownDeliverable)
    a_recommendation().knowing(DELIVERED).when(report).then(
        r.FollowUpReported(progress="implemented", evidence=Evidence(deliverable="d1"), on="2031")
    )


def test_a_follow_up_with_a_meeting_as_evidence_waits_for_the_meeting():
    report = ReportFollowUp(progress="under_implementation", evidence=Evidence(meeting="m1"))
    a_recommendation().when(report).then_refused(NotHeardYet)

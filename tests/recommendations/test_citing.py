from services.recommendations.commands import CiteMandate, ReconfirmCitation, UnciteMandate
from services.recommendations.domain.rules import (
    CitationNotOnRecord,
    CitesUnknownProvision,
    ReconfirmsUnknownSupersession,
)
from shared.domain.rejections import OutOfOrder
from shared.events.recommendations import CitationReconfirmed, MandateCited, MandateUncited
from tests.recommendations.synthetic import OLD, OLD_SUPERSEDED, a_recommendation, cited, no_recommendation

CITE = CiteMandate(instrument="old", provision="old/ask", status="inferred")
UNCITE = UnciteMandate(instrument="old", provision="old/ask", reason="Synthetic reason")
RECONFIRM = ReconfirmCitation(instrument="old", provision="old/ask", superseded_by="new")


def test_a_registered_provision_is_cited_with_its_certainty():
    expected = MandateCited(instrument="old", provision="old/ask", status="inferred")
    a_recommendation().knowing(OLD).when(CITE).then(expected)


def test_a_provision_of_an_instrument_that_is_not_on_record_is_not_cited():
    a_recommendation().when(CITE).then_refused(CitesUnknownProvision)


def test_a_provision_that_its_instrument_lacks_is_not_cited():
    a_recommendation().knowing(OLD).when(CiteMandate(instrument="old", provision="old/other")).then_refused(
        CitesUnknownProvision
    )


def test_a_provision_is_cited_once():
    a_recommendation(cited).knowing(OLD).when(CITE).then_refused(OutOfOrder)


def test_an_uncited_provision_may_be_cited_again():
    uncited = MandateUncited(instrument="old", provision="old/ask", reason="Synthetic")
    a_recommendation(cited, uncited).knowing(OLD).when(CITE).then_stage("drafted")


def test_a_mandate_is_uncited_with_its_reason():
    expected = MandateUncited(instrument="old", provision="old/ask", reason="Synthetic reason")
    a_recommendation(cited).knowing(OLD).when(UNCITE).then(expected)


def test_a_provision_that_is_not_cited_is_not_uncited():
    a_recommendation().knowing(OLD).when(UNCITE).then_refused(CitationNotOnRecord)


def test_a_citation_is_reconfirmed_against_the_supersession_named():
    expected = CitationReconfirmed(instrument="old", provision="old/ask", superseded_by="new")
    a_recommendation(cited).knowing(OLD_SUPERSEDED).when(RECONFIRM).then(expected)


def test_a_supersession_that_is_not_on_record_is_not_reconfirmed():
    a_recommendation(cited).knowing(OLD).when(RECONFIRM).then_refused(ReconfirmsUnknownSupersession)


def test_a_provision_that_is_not_cited_is_not_reconfirmed():
    a_recommendation().knowing(OLD_SUPERSEDED).when(RECONFIRM).then_refused(CitationNotOnRecord)


def test_nothing_is_cited_in_a_recommendation_that_is_not_on_record():
    no_recommendation().knowing(OLD).when(CITE).then_refused(OutOfOrder)

"""Text versions, and what the Committee did with each, as a trace shows them."""

from __future__ import annotations

from typing import Any

import pytest

from services.recommendations.trace import SHAPE
from shared.events import recommendations as r
from shared.events.event import Event
from tests.recommendations.synthetic import OWN, REFERENCE, cited, transmitted
from tests.recommendations.synthetic import adopted as silent
from tests.recommendations.test_trace import DONE, ENDORSED, a_trace

ADOPTED = r.RecommendationAdopted(status="unknown", note="Synthetic: silent.", adopted_on="2030-05", text_version=1)
REVISED = r.RecommendationRevised(text="That members share what they measured", on="2030-09")
SENT = r.RecommendationTransmitted(session=3, text_version=1)
RETURNED = r.CommitteeDispositionRecorded(session=3, outcome="returned", on="2030-11-05")


def of_adoption(trace: dict[str, Any]) -> list[int]:
    return [step["text_version"] for step in trace["work"] if step["role"] == "adoption"]


def gaps_with(trace: dict[str, Any], *words: str) -> list[str]:
    return [gap for gap in trace["gaps"] if all(word in gap for word in words)]


def test_one_version_of_the_text_is_named_and_shown_once():
    trace = a_trace(cited, ADOPTED, SENT, ENDORSED)
    assert "texts" not in trace
    assert (trace["recommendation"]["text_version"], of_adoption(trace)) == (1, [1])
    assert [trace[section][0]["text_version"] for section in ("transmission", "dispositions")] == [1, 1]
    assert not gaps_with(trace, "its text")


def test_a_text_revised_later_is_not_shown_as_what_the_committee_endorsed():
    trace = a_trace(cited, ADOPTED, SENT, ENDORSED, r.RecommendationRevised(title="Synthetic other title"))
    assert (trace["recommendation"]["text_version"], trace["recommendation"]["title"]) == (6, "Synthetic other title")
    assert trace["dispositions"][0]["text_version"] == 1
    assert trace["texts"] == [
        {"version": 1, "title": "Synthetic title", "status": "unknown"},
        {"version": 6, "differences": ["In the title, “other” was added."], "status": "unknown"},
    ]
    assert "Version 6 of its text was not adopted; version 1 was." in trace["gaps"]
    assert gaps_with(trace, "Session 3 of the Committee dealt with version 1", "the text shown is version 6")


def test_a_text_revised_by_older_code_between_adoption_and_transmission_was_not_adopted():
    trace = a_trace(cited, silent, REVISED, transmitted, ENDORSED)
    assert of_adoption(trace) == [1]
    assert [trace[section][0]["text_version"] for section in ("transmission", "dispositions")] == [4, 4]
    expected = "Version 4 of its text was transmitted to session 3, and was not adopted; version 1 was."
    assert expected in trace["gaps"]


def test_a_version_of_september_that_was_recorded_before_an_adoption_of_may_is_a_gap():
    trace = a_trace(REVISED, ADOPTED.model_copy(update={"text_version": 2}))
    assert gaps_with(trace, "Version 2 of its text is of September 2030, after its adoption of May 2030.")


def test_a_version_of_april_that_was_recorded_after_an_adoption_of_may_is_a_gap():
    trace = a_trace(ADOPTED, REVISED.model_copy(update={"on": "2030-04"}))
    assert gaps_with(
        trace, "Version 3", "of April 2030, before its adoption of May 2030, which is on record of version 1"
    )


def test_a_version_that_was_passed_over_or_is_older_than_the_adopted_one_is_no_contradiction():
    april = REVISED.model_copy(update={"on": "2030-04"})
    assert not gaps_with(a_trace(april, ADOPTED), "before its adoption")
    march = REVISED.model_copy(update={"on": "2030-03"})
    trace = a_trace(april, ADOPTED.model_copy(update={"text_version": 2}), march)
    assert not gaps_with(trace, "before its adoption")


def test_a_version_dated_after_its_transmission_is_a_gap():
    sent = SENT.model_copy(update={"text_version": 2, "on": "2030-08-01"})
    trace = a_trace(REVISED, ADOPTED.model_copy(update={"text_version": 2}), sent)
    assert gaps_with(trace, "Version 2 of its text is of September 2030, after its transmission to session 3")


def test_an_adopted_version_that_is_not_on_record_is_a_gap():
    trace = a_trace(ADOPTED.model_copy(update={"text_version": 7}))
    assert "Version 7 of its text is not on record, and its adoption is." in trace["gaps"]


def test_a_clerical_version_is_shown_and_is_no_gap():
    clerical = r.RecommendationRevised(title="Synthetic titel", clerical=True)
    trace = a_trace(cited, ADOPTED, SENT, clerical, ENDORSED)
    assert trace["texts"][1] == {
        "version": 5, "clerical": True, "differences": ["In the title, “title” became “titel”."], "status": "unknown"
    }  # fmt: skip
    assert not gaps_with(trace, "its text")


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("a b c", "a x c", "In the text, “b” became “x”."),
        ("a b c", "a c", "In the text, “b” was left out."),
        (None, "a", "In the text, “a” was added."),
        ("a b", "a  b", "The text differs in white space."),
        ("a", "b " * 400, "In the text, “a” became “" + ("b " * 150)[:300] + "…”."),
        ("a a a", "a a", "In the text, “a” was left out."),
    ],
    ids=["changed", "left out", "added", "white space", "long", "repeated"],
)
def test_differences_are_told_in_words(was: str | None, now: str, says: str):
    first = [r.RecommendationRevised(text=was)] if was else []
    version = 2 if was else 1
    trace = a_trace(*first, ADOPTED.model_copy(update={"text_version": version}), r.RecommendationRevised(text=now))
    assert trace["texts"][-1]["differences"] == [says]


def test_each_version_of_the_text_has_the_events_behind_it():
    trace = a_trace(ADOPTED, REVISED)
    statements = trace["provenance"]["statements"]
    assert [statements[f"texts/{index}"] for index in (0, 1)] == [[f"{OWN} 1"], [f"{OWN} 3"]]


def test_as_of_a_day_later_versions_are_not_shown():
    trace = a_trace(ADOPTED, REVISED, as_of="2030-08-31")
    assert "texts" not in trace
    assert trace["recommendation"]["text_version"] == 1
    assert not gaps_with(trace, "its text")


AGAIN = ADOPTED.model_copy(update={"text_version": 6, "adopted_on": "2030-11-05"})
RETURNED_AND_SENT_AGAIN = (cited, ADOPTED, SENT, RETURNED, REVISED, AGAIN, SENT.model_copy(update={"text_version": 6}))


def test_each_disposition_belongs_to_its_own_transmission():
    trace = a_trace(*RETURNED_AND_SENT_AGAIN, ENDORSED)
    assert [(item["transmission"], item["text_version"]) for item in trace["dispositions"]] == [(0, 1), (1, 6)]
    assert trace["recommendation"]["standing"] == "disposed"
    assert not gaps_with(trace, "No disposition")


@pytest.mark.parametrize(
    ("count", "standing", "says"),
    [
        (4, "disposed", "Session 3 of the Committee returned it, and no later transmission is on record."),
        (6, "adopted", "Session 3 of the Committee returned it, and no later transmission is on record."),
        (7, "transmitted", "No disposition of session 3 is on record."),
    ],
    ids=["returned", "adopted anew", "transmitted again"],
)
def test_what_was_returned_goes_on(count: int, standing: str, says: str):
    trace = a_trace(*RETURNED_AND_SENT_AGAIN[:count])
    assert trace["recommendation"]["standing"] == standing
    assert says in trace["gaps"]


def test_what_was_deferred_lies_before_the_committee_until_a_later_session_disposes_of_it():
    deferred = RETURNED.model_copy(update={"outcome": "deferred"})
    trace = a_trace(cited, ADOPTED, SENT, deferred)
    assert trace["recommendation"]["standing"] == "transmitted"
    assert "Session 3 of the Committee deferred it, and no later disposition is on record." in trace["gaps"]
    later = r.CommitteeDispositionRecorded(session=4, outcome="endorsed", on="2032-11")
    trace = a_trace(cited, ADOPTED, SENT, deferred, later)
    assert [item["transmission"] for item in trace["dispositions"]] == [0, 0]
    assert trace["recommendation"]["standing"] == "disposed"
    assert not gaps_with(trace, "deferred")


@pytest.mark.parametrize("outcome", ["returned", "deferred", "unknown"])
def test_what_is_no_decision_leaves_the_thread_shallow(outcome: str):
    disposition: Event = ENDORSED.model_copy(update={"outcome": outcome})
    trace = a_trace(cited, ADOPTED, SENT, disposition, DONE)
    assert trace["coverage"] == "shallow"
    assert "A follow-up is on record, and no decision of the Committee." in trace["gaps"]


def test_a_follow_up_dated_before_any_decision_is_a_gap():
    early = DONE.model_copy(update={"on": "2030-10"})
    says = "Before any decision of the Committee: 1 of 2 follow-ups."
    assert says in a_trace(cited, ADOPTED, SENT, ENDORSED, early, DONE)["gaps"]
    assert says in a_trace(cited, ADOPTED, SENT, ENDORSED.model_copy(update={"on": None}), early, DONE)["gaps"]
    assert not gaps_with(a_trace(cited, ADOPTED, SENT, ENDORSED, DONE), "Before any decision")
    assert "A follow-up is on record, and no decision of the Committee." in a_trace(early)["gaps"]


def test_a_disposition_without_a_transmission_is_a_gap():
    assert "No transmission is on record for the disposition of session 3." in a_trace(cited, ADOPTED, ENDORSED)["gaps"]


OLD_DISPOSITION = ENDORSED.model_copy(update={"outcome": "deferred"})
AT_SECOND = r.CommitteeDispositionRecorded(session=2, outcome="unknown")
REFUSED_TODAY: dict[str, tuple[Event, ...]] = {
    "a text revised before the Committee": (cited, silent, transmitted, REVISED, ENDORSED),
    "a text transmitted without its own adoption": (cited, silent, REVISED, transmitted),
    "a title corrected after its adoption": (
        silent,
        r.RecordCorrected(corrects=1, data={"reference": REFERENCE, "title": "Synthetic"}, reason="Synthetic"),
    ),
    "a clerical version of a draft": (r.RecommendationRevised(title="Synthetic", clerical=True), silent),
    "a second adoption that names no version": (silent, REVISED, silent),
    "a second transmission to a session that decided": (cited, silent, transmitted, ENDORSED, transmitted),
    "a disposition by a session to which it did not go": (
        cited,
        silent,
        transmitted,
        OLD_DISPOSITION,
        AT_SECOND,
    ),
    "an adoption of a version that there is not": (ADOPTED.model_copy(update={"text_version": 9}),),
}


@pytest.mark.parametrize("name", REFUSED_TODAY)
def test_what_would_be_refused_today_still_folds_and_composes(name: str):
    trace = a_trace(*REFUSED_TODAY[name])
    assert trace["shape"] == SHAPE
    assert {stream: version for stream, version, _ in trace["based_on"]}[OWN] == 1 + len(REFUSED_TODAY[name])


def changed_by_revisions(trace: dict[str, Any]) -> list[list[str]]:
    return [item["changed"] for item in trace["recommendation"]["revised"]]


def test_a_revision_names_what_differs_from_the_version_before():
    retitled = r.RecommendationRevised(title="Synthetic other title")
    back = r.RecommendationRevised(title="Synthetic title", text="Synthetic text", themes=("Synthetic theme",))
    assert changed_by_revisions(a_trace(retitled, back)) == [["title"], ["text", "title"]]
    assert changed_by_revisions(a_trace(retitled, back, r.RecordVoided(voids=2, reason="Synthetic"))) == [["text"]]


def test_a_revision_that_differs_in_nothing_any_more_changed_nothing():
    retitled = r.RecommendationRevised(title="Synthetic other title")
    back = r.RecommendationRevised(title="Synthetic title")
    assert changed_by_revisions(a_trace(retitled, back, r.RecordVoided(voids=2, reason="Synthetic"))) == [[]]

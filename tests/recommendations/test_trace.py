"""The content of a trace: standing, coverage and gaps, as of a day, and the events behind each statement."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.recommendations.trace.provenance import versions_behind
from shared.events import meetings as m
from shared.events import recommendations as r
from shared.events.event import Event
from shared.events.values import Evidence
from tests.cli.record_in_memory import TODAY
from tests.history import History, composed
from tests.recommendations.synthetic import (
    OWN,
    REFERENCE,
    adopted,
    cited,
    drafted,
    new_registered,
    old_asks,
    old_registered,
    superseded,
    third_session,
    transmitted,
)
from tools.render.trace_text import plain_text

ENDORSED = r.CommitteeDispositionRecorded(session=3, outcome="endorsed", on="2030-11-06", status="verified")
DONE = r.FollowUpReported(progress="implemented", evidence=Evidence(text="Synthetic"), on="2031", status="verified")
RECONFIRMED = r.CitationReconfirmed(instrument="old", provision="old/ask", superseded_by="new")
UNCITED = r.MandateUncited(instrument="old", provision="old/ask", reason="Synthetic")


def a_trace(*events: Event, old: tuple[Event, ...] = (), as_of: str | None = None) -> dict[str, Any]:
    """Compose the trace of the synthetic recommendation with these events."""
    history = History()
    history.add("instrument/old", old_registered, old_asks, *old)
    history.add("instrument/new", new_registered)
    history.add("session/3", third_session)
    history.add(
        "meeting/m1",
        m.MeetingRecorded(meeting="m1", title="Synthetic meeting", kind="forum", starts_at="2030-09"),
    )
    history.add(OWN, drafted, *events)
    return composed(history.all(), date.fromisoformat(as_of) if as_of else None)[REFERENCE]


def test_a_live_citation_makes_the_thread_shallow_and_no_citation_leaves_it_uncovered():
    assert a_trace(cited)["coverage"] == "shallow"
    assert a_trace()["coverage"] == "uncovered"
    assert "It cites no mandate." in a_trace()["gaps"]


def test_mandate_disposition_and_evidence_make_the_thread_deep():
    assert a_trace(cited, adopted, transmitted, ENDORSED, DONE)["coverage"] == "deep"


@pytest.mark.parametrize(
    ("disposition", "follow_up"),
    [
        (ENDORSED.model_copy(update={"outcome": "unknown"}), DONE),
        (ENDORSED, DONE.model_copy(update={"evidence": None})),
    ],
    ids=["unknown outcome", "no evidence"],
)
def test_an_unknown_outcome_or_no_evidence_leaves_the_thread_shallow(disposition: Event, follow_up: Event):
    assert a_trace(cited, adopted, transmitted, disposition, follow_up)["coverage"] == "shallow"


def test_a_citation_is_suspect_with_its_reason_once_its_instrument_was_superseded():
    (mandate,) = a_trace(cited, old=(superseded,))["mandates"]
    assert mandate["standing"] == "suspect"
    assert mandate["why"] == [
        {"superseded_by": "new", "cite": "Synthetic resolution 2", "on": "2031-05-01", "status": "inferred"}
    ]


def test_a_suspect_citation_is_a_gap_in_words_and_no_live_mandate():
    trace = a_trace(cited, old=(superseded,))
    assert trace["coverage"] == "uncovered"
    assert (
        "The citation of Synthetic resolution 1 is suspect: superseded by Synthetic resolution 2 on 1 May 2031 "
        "(inferred), and not reconfirmed." in trace["gaps"]
    )


def test_a_citation_that_was_reconfirmed_against_the_supersession_is_live_again():
    (mandate,) = a_trace(cited, RECONFIRMED, old=(superseded,))["mandates"]
    assert (mandate["standing"], mandate["reconfirmed"][0]["superseded_by"]) == ("live", "new")


def test_a_later_supersession_makes_a_reconfirmed_citation_suspect_again():
    again = r.InstrumentSuperseded(by="third", on="2032")
    (mandate,) = a_trace(cited, RECONFIRMED, old=(superseded, again))["mandates"]
    assert (mandate["standing"], mandate["why"][0]["superseded_by"]) == ("suspect", "third")


def test_an_uncited_mandate_stays_on_the_trace():
    (mandate,) = a_trace(cited, UNCITED)["mandates"]
    assert (mandate["standing"], mandate["uncited_because"]) == ("uncited", "Synthetic")


def test_an_adoption_that_the_record_does_not_place_is_a_gap():
    assert any("does not say at which meeting" in gap for gap in a_trace(cited, adopted)["gaps"])
    assert "Its adoption is not on record." in a_trace(cited)["gaps"]


def test_unverified_statements_are_counted_by_certainty():
    trace = a_trace(cited.model_copy(update={"status": "inferred"}), adopted, transmitted, ENDORSED, DONE)
    assert "Not verified: 1 of 1 citation (1 inferred)." in trace["gaps"]
    assert not any("disposition (" in gap for gap in trace["gaps"])


def test_every_statement_has_the_events_behind_it():
    trace = a_trace(cited, adopted, transmitted, ENDORSED, DONE, old=(superseded,))
    statements = {
        "recommendation",
        "lineage",
        *(f"{section}/{n}" for section in ("mandates", "work", "transmission", "dispositions", "follow_up")
          for n in range(len(trace[section]))),
    }  # fmt: skip
    provenance = trace["provenance"]
    assert set(provenance["statements"]) == statements - {"lineage"}
    assert provenance["statements"]["mandates/0"] == [f"{OWN} 2", "instrument/old 1-3", "instrument/new 1"]
    behind = versions_behind(provenance["statements"])
    assert (behind["instrument/old"], behind[OWN]) == ({1, 2, 3}, set(range(1, 7)))


def test_a_trace_is_based_on_the_hash_of_each_stream_s_latest_event_and_on_no_position():
    events = [superseded]
    trace = a_trace(cited, old=tuple(events))
    heads = {stream: (version, hash_) for stream, version, hash_ in trace["based_on"]}
    assert heads["instrument/old"][0] == 3
    assert all(len(hash_) == 64 and set(hash_) <= set("0123456789abcdef") for _, hash_ in heads.values())
    assert set(trace["provenance"]) == {"statements"}


def test_a_statement_names_the_correction_and_the_corrected_event():
    corrected = r.RecordCorrected(
        corrects=2, data={"instrument": "old", "provision": "old/ask", "status": "verified"}, reason="Synthetic"
    )
    trace = a_trace(cited, corrected)
    assert trace["mandates"][0]["status"] == "verified"
    assert trace["provenance"]["statements"]["mandates/0"][0] == f"{OWN} 2-3"


def test_as_of_a_day_later_facts_are_not_shown():
    trace = a_trace(cited, adopted, transmitted, ENDORSED, DONE, as_of="2030-11-05")
    assert [item["session"] for item in trace["transmission"]] == [3]
    assert (trace["dispositions"], trace["follow_up"]) == ([], [])
    assert trace["recommendation"]["standing"] == "transmitted"


def test_as_of_a_day_within_a_date_known_in_part_the_fact_is_possible():
    trace = a_trace(cited, adopted, transmitted, ENDORSED, DONE, as_of="2031-06-30")
    assert [item["dated"] for item in trace["follow_up"]] == ["possibly"]
    assert "dated" not in a_trace(cited, adopted, DONE, as_of="2031-12-31")["follow_up"][0]


def test_as_of_a_day_undated_facts_are_shown_as_such():
    assert [mandate["dated"] for mandate in a_trace(cited, as_of="2030-01-01")["mandates"]] == ["date unknown"]


def test_as_of_a_day_only_earlier_supersessions_count():
    assert a_trace(cited, old=(superseded,), as_of="2031-04-30")["mandates"][0]["standing"] == "live"
    assert a_trace(cited, old=(superseded,), as_of="2031-05-01")["mandates"][0]["standing"] == "suspect"


def test_a_discussion_is_dated_by_its_meeting():
    seen = {"stream": "meeting/m1", "version": 1}
    discussed = r.RecommendationDiscussed(meeting="m1", on="2030-09", seen=seen)
    assert a_trace(discussed, as_of="2030-08-31")["work"] == []
    assert a_trace(discussed, as_of="2030-09-01")["work"][0]["dated"] == "possibly"
    assert "dated" not in a_trace(discussed, as_of="2030-09-30")["work"][0]


def test_without_a_day_nothing_is_marked():
    trace = a_trace(cited, adopted, transmitted, ENDORSED, DONE)
    assert b"dated" not in repr(trace).encode()


def test_a_reference_is_marked_as_this_systems_own():
    assert "not a United Nations symbol" in a_trace()["recommendation"]["reference_is"]


@pytest.mark.parametrize("status", ["verified", "inferred", None])
@pytest.mark.parametrize(
    "event",
    [
        r.RecommendationSuperseded(by="SYN/2030/R2"),
        r.RecommendationMerged(absorbs="SYN/2030/R2"),
        r.RecommendationSplit(split_from="SYN/2030/R2"),
        r.RecommendationWithdrawn(reason="Synthetic"),
        r.RecommendationCarried(instrument="old"),
    ],
    ids=["superseded", "merged", "split", "withdrawn", "carried"],
)
def test_a_fact_of_lineage_has_its_own_certainty(event: Event, status: str | None):
    trace = a_trace(event.model_copy(update={"status": status, "source": "Synthetic source", "note": "Synthetic note"}))
    ((fact,),) = trace["lineage"].values()
    assert (fact["status"], fact["source"], fact["note"]) == (status or "unknown", "Synthetic source", "Synthetic note")
    gap = f"Not verified: 1 of 1 fact of its lineage (1 {status or 'unknown'})."
    assert (gap in trace["gaps"]) == (status != "verified")
    marks = {"verified": 0, "inferred": 1, None: 1}
    shown = " ".join(plain_text(trace, TODAY).split())
    lineage = shown.partition("LINEAGE")[2].partition("GAPS")[0]
    assert lineage.count("(inferred)") + lineage.count("(certainty unknown)") == marks[status]


@pytest.mark.parametrize("status", ["verified", "inferred", None])
def test_a_meeting_that_is_evidence_is_as_certain_as_it_was_recorded(status: str | None):
    history = History()
    meeting = m.MeetingRecorded(meeting="m1", title="Synthetic meeting", kind="forum")
    history.add("meeting/m1", meeting.model_copy(update={"status": status}))
    evidence = r.FollowUpReported(progress="implemented", evidence=Evidence(meeting="m1"), status="verified")
    trace = composed(history.add(OWN, drafted, evidence).all())[REFERENCE]
    assert trace["follow_up"][0]["evidence"]["status"] == (status or "unknown")
    mark = {"verified": "", "inferred": " (inferred)", None: " (certainty unknown)"}[status]
    shown = " ".join(plain_text(trace, TODAY).split())
    assert f"Evidence: Synthetic meeting, on an unknown date{mark}." in shown

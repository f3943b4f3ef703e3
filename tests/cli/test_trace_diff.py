"""A diff of two traces says of each entry whether it came, changed or went, wherever it stands in its section."""

from __future__ import annotations

import pytest

from shared.events import recommendations as r
from shared.events.event import Event
from tests.recommendations.synthetic import adopted, cited, drafted, transmitted
from tests.recommendations.test_trace import a_trace
from tools.audit.trace_diff import describe_changes

RETITLED = r.RecommendationRevised(title="Synthetic other title", on="2031-03-01")
TEXT = r.RecommendationRevised(title=drafted.title, text="Synthetic text", on="2031-03-01")
RETURNED = r.CommitteeDispositionRecorded(session=3, outcome="returned", on="2030-11-05")
NOTED = r.CommitteeDispositionRecorded(session=3, outcome="noted", on="2030-11-06")
UNCITED = r.MandateUncited(instrument="old", provision="old/ask", reason="Synthetic")
TO_SESSION = transmitted.model_copy(update={"text_version": 1, "document_symbol": "SYN/1"})
DONE = r.FollowUpReported(action="Synthetic first", progress="implemented")
SYMBOL = r.OriginRecorded(document="Synthetic paper", symbol="SYN/2")
AT_MEETING = r.RecommendationDiscussed(meeting="m1", on="2030-09-01", seen={"stream": "meeting/m1", "version": 1})


def changes(events: tuple[Event, ...], *later: Event) -> list[str]:
    """Return what further events change in the trace of a recommendation with these, save in gaps and fields."""
    lines = describe_changes(a_trace(*events), a_trace(*events, *later))
    return [line for line in lines if line.startswith(LABELS)]


LABELS = ("Mandate", "Work", "Transmission", "Disposition", "Follow-up", "Revision")


def void(version: int) -> Event:
    return r.RecordVoided(voids=version, reason="Synthetic")


def test_a_void_revision_is_the_one_that_is_gone():
    others = (RETITLED.model_copy(update={"themes": ("Another",)}), TEXT.model_copy(update={"title": None}))
    assert [each.partition(":")[0] for each in changes(others, void(2))] == ["Revision gone"]
    assert changes(others, void(2))[0].startswith("Revision gone: themes, title")
    assert any(each.startswith("Revision gone: title on 1 March 2031") for each in changes((RETITLED, TEXT), void(2)))


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ((cited, UNCITED, cited.model_copy(update={"on": "2030-01"})), "Mandate gone"),
        ((SYMBOL, SYMBOL.model_copy(update={"paragraph": "2"})), "Work gone"),
        ((AT_MEETING, AT_MEETING.model_copy(update={"on": "2030-09-02"})), "Work gone"),
        ((DONE, DONE.model_copy(update={"action": "Synthetic second"})), "Follow-up gone"),
        ((DONE, DONE.model_copy(update={"on": "2031"})), "Follow-up gone"),
    ],
)
def test_of_entries_that_are_named_alike_the_void_one_is_gone(events: tuple[Event, ...], says: str):
    assert [each.partition(":")[0] for each in changes(events, void(2))] == [says]


def test_of_two_transmissions_to_one_session_the_void_one_is_gone():
    events = (cited, adopted, TO_SESSION, RETURNED, transmitted, NOTED)
    assert changes(events, void(5), void(4))[0].startswith("Transmission gone: To session 3 of the Committee")
    labels = [each.partition(":")[0] for each in changes(events, void(5), void(4))]
    assert labels == ["Transmission gone", "Disposition gone"]


def test_what_is_corrected_is_changed_and_what_is_recorded_anew_is_changed_too():
    data = {"progress": "implemented", "action": "Synthetic first", "on": "2032"}
    corrected = r.RecordCorrected(corrects=2, data=data, reason="Synthetic")
    assert [each.partition(":")[0] for each in changes((DONE,), corrected)] == ["Follow-up changed"]
    anew = (void(3), cited.model_copy(update={"on": "2030-01"}))
    assert [each.partition(":")[0] for each in changes((DONE, cited), *anew)] == ["Mandate changed"]

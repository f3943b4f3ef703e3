"""The forms of corrections: every event reads back as it was recorded, and only what was touched changes."""

from __future__ import annotations

from typing import Any

import pytest

from shared.events.catalogue import EVENTS
from tests.contracts.examples import EXAMPLES
from tools.console.forms.corrections import (
    Entry,
    changes_of,
    corrected,
    entries_of,
    fields_of_event,
    fixed_of,
    typed_of,
)
from tools.console.forms.fields import leaves

STREAM = "throughline.recommendations"


def an_entry(type_name: str, data: Any) -> Entry:
    return Entry(1, type_name, "2031-01-01T00:00:00Z", "secretariat", data)


def an_event(version: int, name: str, **data: Any) -> dict[str, Any]:
    kind = f"{STREAM}.{name}.v1"
    return {"streamversion": version, "type": kind, "time": "2031-01-01T00:00:00Z", "role": "secretariat", "data": data}


CORRECTABLE = {
    name: event
    for name, event in EXAMPLES.items()
    if not type(event).__name__.startswith(("RecordCorrected", "RecordVoided"))
}


@pytest.mark.parametrize("name", CORRECTABLE)
def test_what_nobody_touches_stays_to_the_letter(name: str):
    event = CORRECTABLE[name]
    data = event.model_dump(mode="json", exclude_none=True)
    entry = an_entry(event.type_name(), data)
    assert corrected(entry, typed_of(entry)) == data
    assert changes_of(data, corrected(entry, typed_of(entry))) == []


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_every_field_of_an_event_is_in_its_form_or_shown_as_fixed(name: str):
    own = {field.own for field in fields_of_event(name)}
    missing = set(EVENTS[name].model_fields) - own - EVENTS[name].fixed
    assert missing <= {"seen", "sealed"}


def test_only_what_was_typed_changes():
    data = {"reference": "SYN/2031/R1", "title": " Synthetic  title ", "themes": ["Synthetic"], "text": "One\ntwo"}
    entry = an_entry(f"{STREAM}.RecommendationDrafted.v1", data)
    typed = typed_of(entry) | {"data.text": ["One\nthree"], "data.themes": [""]}
    after = corrected(entry, typed)
    assert after == {"reference": "SYN/2031/R1", "title": " Synthetic  title ", "text": "One\nthree"}
    changes = {change.name: change for change in changes_of(data, after)}
    assert changes.keys() == {"themes", "text"}
    assert [(piece.kind, piece.text) for piece in changes["text"].pieces] == [
        ("same", "One"), ("left_out", "\ntwo"), ("added", "\nthree"),
    ]  # fmt: skip
    assert (changes["themes"].before, changes["themes"].after) == (["Synthetic"], None)


def test_what_a_service_filled_in_is_kept_and_not_shown():
    data = {"meeting": "syn-1", "text_version": 1, "seen": {"stream": "meeting/syn-1", "version": 3}}
    entry = an_entry(f"{STREAM}.RecommendationAdopted.v1", data)
    assert not any(field.name.startswith("data.seen") for field in leaves(fields_of_event(entry.type)))
    assert corrected(entry, typed_of(entry) | {"data.adopted_on": ["2031-05"]}) == data | {"adopted_on": "2031-05"}


def test_an_empty_list_that_is_left_out_is_no_change():
    data = {"reference": "SYN/2031/R1", "title": "Synthetic", "kinds": []}
    entry = an_entry(f"{STREAM}.RecommendationDrafted.v1", data)
    assert changes_of(data, corrected(entry, typed_of(entry))) == []


def test_fixed_fields_are_shown_beside_the_form():
    data = {"session": 7, "outcome": "endorsed"}
    assert fixed_of(an_entry(f"{STREAM}.CommitteeDispositionRecorded.v1", data)) == {"session": 7}


def test_an_entry_reads_as_its_last_correction_that_holds():
    drafted = an_event(1, "RecommendationDrafted", reference="SYN/2031/R1", title="Synthetic")
    first = an_event(2, "RecordCorrected", corrects=1, data=drafted["data"] | {"title": "First"}, reason="Synthetic")
    second = an_event(3, "RecordCorrected", corrects=1, data=drafted["data"] | {"title": "Second"}, reason="Synthetic")
    void = an_event(4, "RecordVoided", voids=3, reason="Synthetic")
    void_of_void = an_event(5, "RecordVoided", voids=4, reason="Synthetic")

    def title(*events: dict[str, Any]) -> Any:
        return entries_of(events)[0].data["title"]

    assert title(drafted) == "Synthetic"
    assert title(drafted, first) == "First"
    assert title(drafted, first, second) == "Second"
    assert title(drafted, first, second, void) == "First"
    assert title(drafted, first, second, void, void_of_void) == "Second"


def test_what_is_void_or_of_a_service_is_offered_for_neither():
    drafted = an_event(1, "RecommendationDrafted", reference="SYN/2031/R1", title="Synthetic")
    noted = an_event(2, "RecommendationMerged", absorbs="SYN/2031/R2") | {"role": "system"}
    void = an_event(3, "RecordVoided", voids=1, reason="Synthetic")
    first, second, third = entries_of([drafted, noted, void])
    assert (first.void_by, first.can_be_corrected, first.can_be_voided) == (3, False, False)
    assert (second.can_be_corrected, second.can_be_voided) == (True, False)
    assert (third.about, third.can_be_corrected, third.can_be_voided) == (1, False, True)

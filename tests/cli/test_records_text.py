"""Records as text: a table of what a list is filtered by, and one record line by line."""

from __future__ import annotations

from typing import Any

import pytest

from tools.render.records import print_list, print_one

MEETING = {
    "stream": "meeting/m1",
    "version": 4,
    "waits": False,
    "state": {
        "stage": "held",
        "particulars": {"title": "Synthetic [b]meeting[/b] \u202e", "modality": "hybrid", "versions": [1]},
        "proceedings": {
            "agenda": [],
            "attendance": [{"fact": {"member": member}} for member in ("FJI", "TON", "FJI", "WSM", "TUV")],
        },
    },
    "gaps": ["attendance by 1 outside its membership"],
}


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_a_list_shows_what_it_is_filtered_by_and_a_title(capsys: pytest.CaptureFixture[str]):
    print_list([MEETING], "meetings", ["stage", "modality", "member", "priority"])
    out = printed(capsys)
    for text in ("m1", "held", "hybrid", "FJI, TON, WSM and 1", "[b]meeting[/b]", "gaps"):
        assert text in out
    assert "priority" not in out
    assert "\u202e" not in out


def test_an_empty_list_says_so(capsys: pytest.CaptureFixture[str]):
    print_list([], "dead-letters", [])
    assert printed(capsys) == "No dead letters.\n"


@pytest.mark.parametrize("items", [["a", "b"], [{"rule": "Synthetic", "at": "2031", "nested": {"left": "out"}}]])
def test_other_lists_show_their_plain_members(items: list[Any], capsys: pytest.CaptureFixture[str]):
    print_list(items, "refusals", [])
    out = printed(capsys)
    assert ("Synthetic" in out) or ("a" in out and "b" in out)
    assert "left" not in out


def test_one_record_is_a_line_for_each_value(capsys: pytest.CaptureFixture[str]):
    print_one(MEETING | {"waits": True})
    lines = printed(capsys).splitlines()
    assert lines[0] == "meeting/m1 at version 4"
    assert "  stage: held" in lines
    assert "    title: Synthetic [b]meeting[/b] \\u202e" in lines
    assert "    versions: 1" in lines
    assert "      - member: FJI" in lines
    assert "  It waits for an event that has not come yet." in lines
    assert lines[-1] == "  Gap: attendance by 1 outside its membership"
    assert not any("agenda" in line for line in lines)


def test_a_text_of_several_lines_cannot_pass_for_another_field(capsys: pytest.CaptureFixture[str]):
    print_one({"note": "a\nstage: held", "is_open": True, "themes": ["x", "y"], "nothing": []})
    assert printed(capsys) == "note: a\\x0astage: held\nis open: yes\nthemes: x, y\n"


def test_a_record_without_facets_shows_its_plain_members(capsys: pytest.CaptureFixture[str]):
    state = {"stage": "on record", "recorded": {"data": {"session": 41, "starts_on": "2020-11-04"}, "versions": [1]}}
    print_list([{"stream": "session/41", "version": 1, "waits": False, "state": state}], "sessions", [])
    out = printed(capsys)
    assert "starts on" in out
    assert "2020-11-04" in out


EVENT = {
    "subject": "call/c1", "type": "throughline.nominations.CallForNominationsOpened.v1", "streamversion": 1,
    "time": "2031-01-01T00:00:00Z", "role": "secretariat", "commandid": "synthetic-command",
}  # fmt: skip


@pytest.mark.parametrize("item", [EVENT, {"event": EVENT, "leaf": "00", "position": 7, "proof": ""}])
def test_an_event_is_a_row_of_its_own(item: dict[str, Any], capsys: pytest.CaptureFixture[str]):
    print_list([item], "events", ["stream"])
    out = printed(capsys)
    for text in ("2031-01-01T00:00:00Z", "CallForNominationsOpened", "call/c1", "secretariat"):
        assert text in out
    assert "synthetic-command" not in out
    assert ("position" in out) == ("position" in item)


def test_a_recorded_fact_is_shown_without_its_wrapping(capsys: pytest.CaptureFixture[str]):
    print_one({"cited": [{"data": {"provision": "a"}, "versions": [2]}], "gaps": []})
    assert printed(capsys) == "cited:\n  - provision: a\n    versions: 2\n"

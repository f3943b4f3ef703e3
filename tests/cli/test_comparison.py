"""A replay names what differs, and never calls another shape or a newer trace different."""

from __future__ import annotations

import copy
from base64 import b64encode
from typing import Any

import pytest

from shared.consumer.record import KafkaRecord
from shared.events import recommendations as r
from tests.history import History, a_history
from tests.proofs import TRUST
from tools.audit.digest_comparison import compare_with_live, live_digests
from tools.replay.comparison import Difference, Rebuilt, compare, first_difference, rebuilt_from
from tools.replay.history import History as Read
from tools.replay.history import journal_record

ONE, TWO = "SYN/2031/R1", "SYN/2031/R2"


def read(*records: KafkaRecord) -> Read:
    history = Read()
    for record in records:
        history.take(record, TRUST)
    return history


@pytest.fixture
def rebuilt() -> Rebuilt:
    return rebuilt_from(read(*a_history().all()))


@pytest.fixture
def live(rebuilt: Rebuilt) -> dict[str, Any]:
    return copy.deepcopy(rebuilt.traces)


def test_equal_traces_are_identical(rebuilt: Rebuilt, live: dict[str, Any]):
    verdict = compare(live, rebuilt, live)
    assert verdict.identical == [ONE, TWO]
    assert verdict.holds


def test_repeats_and_any_order_of_streams_change_nothing(rebuilt: Rebuilt):
    records = a_history().all()
    again = read(*reversed(records), *records)
    assert again.repeats == len(records)
    assert rebuilt_from(again).traces == rebuilt.traces


def test_a_changed_value_is_named_with_its_path(rebuilt: Rebuilt, live: dict[str, Any]):
    live[ONE]["dispositions"][0]["outcome"] = "noted"
    verdict = compare(live, rebuilt, live)
    assert verdict.different == [Difference(ONE, "dispositions[0].outcome", "noted", "endorsed")]
    assert not verdict.holds


@pytest.mark.parametrize("gone", ["live", "rebuilt"])
def test_a_trace_that_one_side_has_not_is_a_difference(rebuilt: Rebuilt, live: dict[str, Any], gone: str):
    before = dict(live)
    del (live if gone == "live" else rebuilt.traces)[ONE]
    [difference] = compare(live, rebuilt, before).different
    assert (difference.reference, difference.live == "nothing") == (ONE, gone == "live")


def test_another_shape_is_named_and_is_no_difference(rebuilt: Rebuilt, live: dict[str, Any]):
    live[ONE]["shape"] += 1
    verdict = compare(live, rebuilt, live)
    assert (verdict.different, list(verdict.other_shape), verdict.holds) == ([], [ONE], False)


def test_a_trace_that_came_after_the_history_was_read_is_newer(rebuilt: Rebuilt, live: dict[str, Any]):
    before = {TWO: live[TWO]}
    del rebuilt.traces[ONE]
    verdict = compare(live, rebuilt, before)
    assert (verdict.newer, verdict.holds) == ([ONE], True)


INITIATIVE = r.InitiativeRegistered(
    initiative="n1", title="N", supporting_member="FJI", provisions=({"instrument": "i1", "provision": "i1/a"},)
)


def test_a_trace_beside_an_initiative_that_came_after_the_history_was_read_is_newer(
    rebuilt: Rebuilt, live: dict[str, Any]
):
    after = rebuilt_from(read(*a_history().add("initiative/n1", INITIATIVE).all())).traces
    assert after[ONE]["initiatives"] != live[ONE].get("initiatives")
    assert compare(after, rebuilt, live).identical == [ONE, TWO]
    verdict = compare(after, rebuilt, {})
    assert (verdict.newer, verdict.identical, verdict.beyond) == ([ONE], [TWO], {"initiative/n1": 1})
    assert verdict.holds


def test_a_trace_without_an_initiative_that_the_history_holds_is_behind(live: dict[str, Any]):
    later = rebuilt_from(read(*a_history().add("initiative/n1", INITIATIVE).all()))
    verdict = compare(live, later, live)
    assert (verdict.behind, verdict.identical, verdict.holds) == ([ONE], [TWO], False)


@pytest.mark.parametrize(("initiative", "place"), [(True, "newer"), (False, "different")], ids=["beyond", "held"])
def test_a_live_trace_beside_an_initiative_is_newer_where_an_export_has_it_not(
    rebuilt: Rebuilt, live: dict[str, Any], initiative: bool, place: str
):
    after = rebuilt_from(read(*a_history().add("initiative/n1", INITIATIVE).all())).traces
    here = live_digests([live[ONE], *([] if initiative else [after[ONE] | {"recommendation": {"reference": TWO}}])])
    assert getattr(compare_with_live(here, live_digests([after[ONE]])), place) == [ONE]


def moved(trace: dict[str, Any], by: int) -> None:
    for pair in trace["based_on"]:
        if pair[0].startswith("recommendation/"):
            pair[1] += by


def test_a_trace_that_moved_on_meanwhile_is_compared_as_it_was_before(rebuilt: Rebuilt, live: dict[str, Any]):
    before = copy.deepcopy(live)
    moved(live[ONE], 1)
    assert compare(live, rebuilt, before).identical == [ONE, TWO]
    before[ONE]["coverage"] = "uncovered"
    assert compare(live, rebuilt, before).different == [Difference(ONE, "coverage", "uncovered", "deep")]


def test_a_trace_that_lags_behind_is_no_proof(rebuilt: Rebuilt, live: dict[str, Any]):
    moved(live[ONE], -1)
    verdict = compare(live, rebuilt, live)
    assert (verdict.behind, verdict.different, verdict.holds) == ([ONE], [], False)


def test_a_trace_that_rests_on_an_event_missing_from_the_history_is_a_difference(
    rebuilt: Rebuilt, live: dict[str, Any]
):
    moved(live[ONE], 1)
    [difference] = compare(live, rebuilt, live).different
    assert (difference.reference, difference.path) == (ONE, "based_on")


def test_a_trace_that_leaves_a_stream_out_is_a_difference(rebuilt: Rebuilt, live: dict[str, Any]):
    live[ONE]["based_on"].pop(0)
    [difference] = compare(live, rebuilt, live).different
    assert (difference.reference, difference.path) == (ONE, "based_on")


@pytest.mark.parametrize(
    ("live", "rebuilt", "path"),
    [
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "a[1].b"),
        ({"a": [1]}, {"a": [1, 2]}, "a[1]"),
        ({"a": 1}, {"b": 1}, "a"),
        ({"a": True}, {"a": 1}, "a"),
    ],
)
def test_the_first_difference_has_its_path(live: Any, rebuilt: Any, path: str):
    difference = first_difference(ONE, live, rebuilt)
    assert difference is not None
    assert difference.path == path


def test_equal_values_have_no_difference():
    assert first_difference(ONE, {"a": [1, "x"]}, {"a": [1, "x"]}) is None


def test_poison_is_counted_and_its_stream_stops_where_it_stood():
    history = a_history()
    *start, last = history.records["instrument/i1"]
    others = [record for record in history.all() if record.key != b"instrument/i1"]
    bad = KafkaRecord(last.topic, 0, 99, last.key, b"{}", last.headers)
    history_read = read(*start[:2], bad, last, *others)
    assert [poison.reason for poison in history_read.poison] == ["unsigned"]
    assert rebuilt_from(history_read).stalled == ["instrument/i1 stops at version 2"]


def test_the_candidate_that_the_next_version_names_is_true():
    history = a_history()
    forged = History().add("instrument/i2", r.InstrumentRegistered(instrument="i2", cite="F", body="F", title="F"))
    forger = forged.records["instrument/i2"][0]
    history_read = read(forger, *history.all())
    assert history_read.disputed == [("instrument/i2", 1)]
    assert rebuilt_from(history_read).traces == rebuilt_from(read(*history.all())).traces


def test_a_line_of_the_journal_gives_the_bytes_as_they_are():
    record = a_history().all()[0]
    headers = dict(record.headers)
    fields = (record.value, headers["leaf"], headers["position"], b64encode(headers["proof"]))
    line = b'{"event":%b,"leaf":"%b","position":%b,"proof":"%b"}' % fields
    again = journal_record(line, 0)
    assert (again.value, again.key, again.topic) == (record.value, record.key, record.topic)
    assert not read(again).poison


def test_a_candidate_that_does_not_continue_its_stream_is_no_candidate():
    history = a_history()
    stream = "session/3"
    raw = history.encoded(stream, 1, r.CommitteeSessionRecorded(session=3, starts_on="1999"), "f" * 64)
    forged = history.record(stream, raw, "recommendations")
    both = read(forged, *history.all())
    assert both.disputed == [(stream, 1)]
    assert rebuilt_from(both).traces == rebuilt_from(read(*history.all())).traces

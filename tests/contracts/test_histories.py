"""Every recorded history is decodable and produces the recorded traces."""

from __future__ import annotations

import shutil
from pathlib import Path

import orjson
import pytest

from services.recommendations import trace as code
from services.recommendations.trace import SHAPE
from shared.events.canonical import sha256_hex
from shared.events.catalogue import EVENTS, SERVICES, decode
from shared.events.upcasters import UPCASTERS
from tests.contracts import histories
from tests.contracts.histories import MAKERS, events_of, expect, expected, files, names, replayed, sums
from tests.replay.bundles import ledgers, written
from tools.replay.comparison import first_difference

NAMES = names()
WHAT_TO_DO = (
    "A recorded history must always produce the same traces. Fix the code; or, if traces are to change from now "
    "on, raise SHAPE in services/recommendations/trace/compose.py and run: python -m tests.contracts.histories expect "
    "(docs/events-evolve.md)"
)


def test_no_recorded_history_has_changed_or_disappeared() -> None:
    assert {name: sha256_hex(raw) for name, raw in files().items()} == sums()
    assert MAKERS.keys() <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_history_produces_the_recorded_traces(name: str) -> None:
    (traces, roster), (then, roster_then) = replayed(name), expected(name)
    for reference in sorted(traces.keys() | then.keys()):
        was, now = (orjson.loads(side[reference]) if reference in side else None for side in (then, traces))
        difference = first_difference(reference, was, now)
        assert difference is None, (
            f"history {name}, {reference} at {difference.path}: "
            f"{difference.live!r} is now {difference.rebuilt!r}. {WHAT_TO_DO}"
        )
    assert traces == then, WHAT_TO_DO
    assert roster == roster_then, f"history {name}: the roster differs. {WHAT_TO_DO}"


@pytest.mark.parametrize("name", NAMES)
def test_recorded_traces_have_the_present_shape(name: str) -> None:
    assert {orjson.loads(trace)["shape"] for trace in expected(name)[0].values()} == {SHAPE}, WHAT_TO_DO


@pytest.mark.parametrize("name", NAMES)
def test_positions_are_dense_and_each_stream_is_a_hash_chain(name: str) -> None:
    ends, heads = dict.fromkeys(SERVICES, 0), dict[str, str]()
    for service, position, raw in events_of(name):
        assert position == ends[service]
        ends[service] += 1
        event = orjson.loads(raw)
        assert event["previoushash"] == heads.get(event["subject"], "0" * 64)
        heads[event["subject"]] = sha256_hex(raw)
    assert all(ends.values())


def test_the_histories_hold_the_events_that_are_hard_to_fold() -> None:
    names_found = {type(decode(raw).data).__name__ for name in NAMES for _, _, raw in events_of(name)}
    hard = {"RecordCorrected", "InstrumentSuperseded", "RecommendationMerged", "RecommendationSplit", "ExpertErased"}
    assert hard <= names_found
    assert len(names_found) > 0.8 * len({event.__name__ for event in EVENTS.values()})


def test_every_older_version_with_an_upcaster_is_in_a_recorded_history() -> None:
    recorded_types = {orjson.loads(raw)["type"] for name in NAMES for _, _, raw in events_of(name)}
    missing = UPCASTERS.keys() - recorded_types
    assert not missing, f"add a history that was recorded with {missing} (docs/events-evolve.md)"


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the histories, for tampering."""
    folder = tmp_path / "histories"
    shutil.copytree(histories.FOLDER, folder)
    monkeypatch.setattr(histories, "FOLDER", folder)
    monkeypatch.setattr(histories, "SUMS", folder / "SHA256SUMS")
    return folder


def test_a_changed_trace_is_named_and_not_overwritten_under_the_same_shape(copied: Path) -> None:
    file = copied / "hard" / "traces.jsonl"
    file.write_bytes(file.read_bytes().replace(b"Synthetic 1", b"Something else", 1))
    with pytest.raises(AssertionError, match=r"history hard, SYN/2031/R1 at .*'Something else' is now 'Synthetic 1'"):
        test_a_recorded_history_produces_the_recorded_traces("hard")
    with pytest.raises(SystemExit, match="raise it, or fix the code"):
        expect("hard")


def test_recorded_traces_may_be_rewritten_once_the_shape_is_raised(copied: Path) -> None:
    file = copied / "hard" / "traces.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"shape":%d' % code.SHAPE, b'"shape":0'))
    expect("hard")
    test_a_recorded_history_produces_the_recorded_traces("hard")


def test_a_changed_event_is_found(copied: Path) -> None:
    file = copied / "hard" / "meetings.jsonl"
    file.write_bytes(file.read_bytes().replace(b"Synthetic meeting", b"Synthetic mooting"))
    with pytest.raises(AssertionError):
        test_no_recorded_history_has_changed_or_disappeared()


def test_the_history_of_an_export_can_be_added(copied: Path, tmp_path: Path) -> None:
    bundle = written(tmp_path / "bundle", ledgers(MAKERS["hard"]()))
    histories.main(["add", "again", str(bundle)])
    assert expected("again") == expected("hard")
    assert [raw for *_, raw in events_of("again")] == [raw for *_, raw in events_of("hard")]
    with pytest.raises(FileExistsError):
        histories.main(["add", "again", str(bundle)])

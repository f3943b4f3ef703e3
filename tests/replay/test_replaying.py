"""A replay from a bundle alone ends in the same bytes as the plain fold, however it is cut into buckets."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.recommendations.trace import SHAPE, trace_bytes
from shared.consumer.record import KafkaRecord
from shared.events import meetings as m
from shared.events import nominations as n
from shared.events import recommendations as r
from tests.cli.terminal import output_of, throughline
from tests.history import History, a_history, composed
from tests.nominations.synthetic import PAPER, SUBMITTED
from tests.proofs import TRUST
from tests.replay.bundles import Logs, expected, in_order, of_history, simulated, written
from tools.audit.bundle import Bundle
from tools.audit.bundle_replay import open_replay, subject_of, trace_digest
from tools.replay.replayer import Replayer
from tools.replay.roster import roster_bytes
from tools.replay.spool import Spool

pytestmark = pytest.mark.slow

ONE = "SYN/2031/R1"


@pytest.fixture(scope="module")
def logs() -> Logs:
    """Enough for several buckets, meetings with many attendants, corrections."""
    return simulated(6_000)


@pytest.fixture(scope="module")
def bundle(logs: Logs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("bundle"), logs, expected(logs))


def put(records: list[KafkaRecord], **more: Any) -> Replayer:
    replayer = Replayer(TRUST, **more)
    for record in records:
        replayer.add_record(record)
    return replayer


def test_every_trace_has_the_bytes_that_the_plain_fold_makes(bundle: Path, logs: Logs) -> None:
    with open_replay(Bundle(bundle)) as replayer:
        traces = dict(replayer.run(lambda _, trace: trace_bytes(trace)))
    assert traces == {reference: trace_bytes(trace) for reference, trace in expected(logs).items()}
    assert len(traces) > 20
    assert (replayer.report.poison, replayer.report.stalled) == ([], [])


def test_two_processes_come_to_the_same(bundle: Path) -> None:
    with open_replay(Bundle(bundle)) as alone, open_replay(Bundle(bundle)) as parallel:
        assert dict(alone.run(trace_digest)) == dict(parallel.run(trace_digest, processes=2))
    assert roster_bytes(alone.report.roster) == roster_bytes(parallel.report.roster)
    assert alone.report.events == parallel.report.events


@pytest.mark.parametrize("in_memory", [0, 1_000, 10**9])
def test_spooled_records_are_read_in_order_from_disk_or_memory(in_memory: int) -> None:
    records = a_history().all()
    spool = Spool(streams_each=4, in_memory=in_memory)
    put_aside = [(record.key or b"", record.value, at) for at, record in enumerate(records)]
    for parts in put_aside:
        spool.put(parts[0], len(parts[1] or b""), parts)
    back = [parts for number in range(len(spool)) for parts in spool.bucket(number)]
    assert len(spool) > 1
    spool.close()
    assert sorted(back, key=lambda parts: parts[2]) == put_aside
    for stream in {key for key, *_ in put_aside}:
        assert [at for key, _, at in back if key == stream] == [at for key, _, at in put_aside if key == stream]


@pytest.mark.parametrize("as_of", [date(2031, 1, 15), date(2031, 2, 10), date(2040, 1, 1)])
def test_facts_up_to_a_day_are_those_of_the_live_query(as_of: date) -> None:
    records = in_order(a_history())
    with put(records, as_of=as_of) as replayer:
        traces = dict(replayer.run(lambda _, trace: trace_bytes(trace)))
    assert traces == {name: trace_bytes(trace) for name, trace in composed(records, as_of).items()}


def test_a_replay_as_known_at_a_time_reads_a_prefix_of_every_stream() -> None:
    records = in_order(a_history())
    times = sorted(json.loads(record.value or b"")["time"] for record in records)
    for known_at in (times[0], times[len(times) // 2], times[-3]):
        prefix = [record for record in records if json.loads(record.value or b"")["time"] <= known_at]
        with put(records, known_at=known_at) as replayer:
            traces = dict(replayer.run(lambda _, trace: trace_bytes(trace)))
        assert traces == {name: trace_bytes(trace) for name, trace in composed(prefix).items()}


def test_an_unsigned_record_is_a_repeat_where_its_bytes_were_published_again_with_a_proof() -> None:
    records = in_order(a_history())
    other = replace(records[0], value=(records[0].value or b"").replace(b"synthetic-actor", b"synthetic-other"))
    unsigned = [replace(record, offset=1_000 + record.offset, headers=()) for record in [*records, other]]
    with put([*unsigned, *records]) as replayer:
        traces = dict(replayer.run(lambda _, trace: trace_bytes(trace)))
    assert traces == {name: trace_bytes(trace) for name, trace in composed(records).items()}
    assert replayer.report.repeats == len(records)
    assert replayer.report.poison == [(unsigned[-1].origin, "unsigned")]


def test_the_stream_of_an_event_is_read_without_decoding_it(logs: Logs) -> None:
    for events in logs.values():
        for raw in events[:500]:
            assert subject_of(raw).decode() == json.loads(raw)["subject"]
    assert subject_of(b"{}") == b""


def memberships() -> History:
    began = {"nomination": "n1", "person": "synthetic-person", "member": "FJI"}
    return (
        History()
        .add("membership/n1", n.MembershipBegan(membership="n1", began_on="2031-02", **began))
        .add("membership/n2", n.MembershipBegan(membership="n2", capacity="alternate", **began))
        .add("membership/n1", n.MembershipEnded(reason="term_ended", ended_on="2033-06-30"))
    )


@pytest.mark.parametrize(
    ("as_of", "stages"),
    [
        (None, [("n1", "ended"), ("n2", "active")]),
        (date(2033, 6, 29), [("n1", "active"), ("n2", "active")]),
        (date(2031, 1, 31), [("n2", "active")]),
    ],
)
def test_the_roster_holds_memberships_as_of_a_day(as_of: date | None, stages: list[tuple[str, str]]) -> None:
    with put(in_order(memberships()), as_of=as_of) as replayer:
        assert list(replayer.run(trace_digest)) == []
    rows = json.loads(roster_bytes(replayer.report.roster))
    assert [(row["membership"], row["stage"]) for row in rows] == stages


@pytest.mark.parametrize(
    ("as_of", "institution", "category"),
    [(None, "Synthetic Ministry", "official"), (date(2031, 12, 31), "Synthetic Laboratory", "official")],
)
def test_the_roster_of_a_bundle_follows_amendments_and_changed_details(
    as_of: date | None, institution: str, category: str, tmp_path: Path
) -> None:
    amended = n.NominationAmended(**PAPER | {"institution": "Synthetic Laboratory", "category": "official"})
    changed = n.ExpertDetailsChanged(changed_on="2032", institution="Synthetic Ministry")
    events = memberships().add("nomination/n1", SUBMITTED, amended).add("membership/n1", changed)
    void = n.RecordVoided(voids=1, reason="Synthetic")
    events.add("membership/n3", n.MembershipBegan(membership="n3", nomination="n3", person="p", member="FJI"), void)
    folder = written(tmp_path, of_history(events))
    with open_replay(Bundle(folder), as_of=as_of) as replayer:
        assert list(replayer.run(trace_digest)) == []
    row, other = json.loads(roster_bytes(replayer.report.roster))
    assert (other["membership"], other["institution"]) == ("n2", "Synthetic Laboratory")
    assert (row["membership"], row["institution"], row["category"]) == ("n1", institution, category)
    assert "box" not in str(row)


def test_a_stream_that_breaks_off_and_an_event_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    logs = of_history(a_history())
    at = next(i for i, raw in enumerate(logs["meetings"]) if b"AttendanceRecorded" in raw)
    logs["meetings"][at] = logs["meetings"][at].replace(b'"presence":"remote"', b'"presence":"absent"')
    done = throughline(None, "audit", "replay", str(written(tmp_path, logs)))
    assert done.exit_code == 1
    assert f"throughline.meetings/0/{at} (schema_violation)" in output_of(done)
    assert "meeting/m1 stops at version 1" in output_of(done)


def test_a_replay_writes_traces_digests_and_roster(bundle: Path, logs: Logs, tmp_path: Path) -> None:
    done = throughline(None, "audit", "replay", str(bundle), "--out", str(tmp_path), "--format", "json")
    assert done.exit_code == 0, done.output
    content, digests = json.loads(done.stdout), json.loads((tmp_path / "traces.json").read_bytes())
    assert content["traces"] == len(digests["traces"]) == len(expected(logs))
    for reference, trace in expected(logs).items():
        assert (tmp_path / "traces" / f"{reference}.json").read_bytes() == trace_bytes(trace)
    assert digests == json.loads((bundle / "traces.json").read_bytes())
    assert len(json.loads((tmp_path / "roster.json").read_bytes())) == content["memberships"] > 0


def test_a_folder_that_is_no_bundle_and_a_malformed_time_are_refused(tmp_path: Path, bundle: Path) -> None:
    for arguments, words in (
        (["replay", str(tmp_path)], "is no bundle"),
        (["replay", str(bundle), "--as-of", "soon"], "is not a day"),
        (["replay", str(bundle), "--known-at", "soon"], "is not a time"),
        (["diff", str(bundle), "--between", "2031-02-01T00:00:00Z", "2031-01-01T00:00:00Z"], "is not after"),
        (["compare", str(tmp_path), "--offline"], "cannot be read"),
    ):
        done = throughline(None, "audit", *arguments)
        assert (done.exit_code, words in output_of(done)) == (2, True), done.output


def test_a_bundle_is_identical_with_its_own_digests(bundle: Path) -> None:
    done = throughline(None, "audit", "compare", str(bundle), "--offline")
    assert done.exit_code == 0, done.output
    assert output_of(done).startswith("identical: ")


@pytest.mark.parametrize("fault", ["digest", "missing", "unexpected", "shape"])
def test_digests_that_are_not_those_of_the_events_are_named(tmp_path: Path, fault: str) -> None:
    logs = of_history(a_history())
    folder = written(tmp_path, logs, expected(logs))
    content = json.loads((folder / "traces.json").read_bytes())
    words = {
        "digest": f"Different from the export's digests: {ONE}.",
        "missing": f"Missing in the export's digests: {ONE}.",
        "unexpected": "In the export's digests, and not made by these events: SYN/2031/R9.",
        "shape": "the export's digests: made by shape 99, not compared",
    }
    match fault:
        case "digest":
            content["traces"][ONE]["digest"] = "0" * 64
        case "missing":
            del content["traces"][ONE]
        case "unexpected":
            content["traces"]["SYN/2031/R9"] = content["traces"][ONE]
        case "shape":
            content["shape"] = 99
            (folder / "manifest.json").write_text('{"shape": 99}')
    (folder / "traces.json").write_text(json.dumps(content))
    done = throughline(None, "audit", "compare", str(folder), "--offline")
    assert (done.exit_code, words[fault] in output_of(done)) == (1, True), done.output


def test_an_export_of_an_earlier_shape_is_not_compared_and_that_is_no_fault(tmp_path: Path) -> None:
    folder = written(tmp_path, of_history(a_history()), {})
    earlier = {"shape": 1, "traces": {ONE: {"digest": "0" * 64, "based_on": [[f"recommendation/{ONE}", 12]]}}}
    (folder / "traces.json").write_text(json.dumps(earlier))
    done = throughline(None, "audit", "compare", str(folder), "--offline")
    assert (done.exit_code, f"the manifest names shape {SHAPE}, and traces.json shape 1" in output_of(done)) == (
        2,
        True,
    )
    (folder / "manifest.json").write_text('{"shape": 1}')
    done = throughline(None, "audit", "compare", str(folder), "--offline")
    assert done.exit_code == 0, done.output
    assert "the export's digests: made by shape 1, not compared; this program composes shape 3." in output_of(done)


def test_the_changes_between_two_times_are_printed(tmp_path: Path) -> None:
    history = a_history()
    folder = written(tmp_path, of_history(history))
    events = [json.loads(record.value or b"") for record in history.records[f"recommendation/{ONE}"]]
    adopted = next(event["time"] for event in events if "RecommendationAdopted" in event["type"])
    last = max(json.loads(record.value or b"")["time"] for record in history.all())
    done = throughline(None, "audit", "diff", str(folder), "--between", adopted, last)
    assert done.exit_code == 0, done.output
    for words in (
        ONE,
        "Standing: was adopted, is merged.",
        "Coverage: was uncovered, is deep.",
        "Transmission added: To session 3 of the Committee",
        "Disposition added: Session 3: endorsed on 2 March 2031",
        "Lineage added: Merged into SYN/2031/R2",
        "SYN/2031/R2 It came on record.",
    ):
        assert words in output_of(done), done.output
    assert "Priority" not in output_of(done), "it had not changed"
    same = throughline(None, "audit", "diff", str(folder), "--between", last, "2032-01-01T00:00:00Z")
    assert output_of(same) == "No trace changed between the two."


def test_a_statement_that_changed_says_what_it_was(tmp_path: Path) -> None:
    history = a_history()
    attended = json.loads(history.records["meeting/m1"][1].value or b"")["time"]
    last = max(json.loads(record.value or b"")["time"] for record in history.all())
    meeting = {"meeting": "m1", "title": "Put right", "kind": "forum"}
    history.add("meeting/m1", m.RecordCorrected(corrects=1, data=meeting, reason="Synthetic"))
    own = {"reference": ONE, "title": "New"}
    history.add(f"recommendation/{ONE}", r.RecordCorrected(corrects=1, data=own, reason="Synthetic"))
    assert attended < last
    folder = str(written(tmp_path, of_history(history)))
    done = throughline(None, "audit", "diff", folder, "--between", last, "2032-01-01T00:00:00Z")
    for words in (
        "Title: was Synthetic 1, is New.",
        "Work changed: Discussed at Put right",
        "was: Discussed at Synthetic meeting",
    ):
        assert words in output_of(done), done.output

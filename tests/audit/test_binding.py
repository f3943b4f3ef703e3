"""An event is bound to the log of its own service, a key to a log that must be there, a time to who saw it."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from shared.tlog.notes import COSIGNATURE, Signer
from tests.audit.synthetic import SyntheticLogs, exported, many
from tests.history import a_history
from tests.replay.bundles import of_history
from tools.audit.bundle import Bundle
from tools.audit.bundle_replay import open_replay, trace_digest
from tools.audit.proof import NotProven, check
from tools.audit.proof_builder import LoggedEvent, proof
from tools.audit.report import as_text
from tools.audit.signatures import TrustedKeys
from tools.audit.verifying import verify
from tools.audit.witness import Witness

pytestmark = pytest.mark.slow

LOGS = SyntheticLogs(of_history(a_history())).sign_all()
PINNED = TrustedKeys(tuple(each.verifier for each in LOGS.signers.values()))
REFERENCE = "SYN/2031/R1"
OFFICE = Signer.generate("synthetic.example/office", COSIGNATURE)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return exported(LOGS, tmp_path / "export")


def stolen() -> SyntheticLogs:
    """Return logs in which one key signed the events of another service too."""
    both = LOGS.events["recommendations"] + LOGS.events["meetings"]
    return SyntheticLogs(LOGS.events | {"recommendations": both}, LOGS.signers).sign_all()


def proof_of(bundle: Bundle, events: list[LoggedEvent], *services: str) -> bytes:
    with open_replay(bundle) as replay:
        trace = dict(replay.run(lambda _, trace: trace))[REFERENCE]
    streams = {stream for stream, *_ in trace["based_on"]}
    own = [each for each in events if orjson.loads(each.event)["subject"] in streams]
    return proof(REFERENCE, trace, own, {name: bundle.logs[name] for name in services})


def logged(logs: SyntheticLogs, service: str) -> list[LoggedEvent]:
    return [LoggedEvent(service, position, raw) for position, raw in enumerate(logs.events[service])]


def test_a_proof_whose_events_another_key_signed_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    true = logged(LOGS, "recommendations") + logged(LOGS, "meetings")
    assert check(proof_of(bundle, true, "recommendations", "meetings"), PINNED).reference == REFERENCE
    other = exported(stolen(), tmp_path / "stolen")
    forged = orjson.loads(proof_of(bundle, true, "recommendations", "meetings"))
    moved = orjson.loads(proof(REFERENCE, forged["trace"], [
        each for each in logged(stolen(), "recommendations")
        if orjson.loads(each.event)["subject"] in {stream for stream, *_ in forged["trace"]["based_on"]}
    ], {"recommendations": other.logs["recommendations"], "meetings": other.logs["meetings"]}))  # fmt: skip
    with pytest.raises(NotProven, match="it is an event of /services/meetings, in a log that recommendations signed"):
        check(orjson.dumps(moved), PINNED)


def test_a_replay_and_a_verification_of_a_log_with_events_of_another_service_name_them(tmp_path: Path) -> None:
    other = exported(stolen(), tmp_path / "stolen")
    assert "wrong_log" in {finding.kind for finding in verify(other, PINNED).findings.listed}
    with open_replay(other) as replay:
        dict(replay.run(trace_digest))
        assert {reason for _, reason in replay.report.poison} == {"wrong_log"}


def test_a_pinned_key_whose_log_is_absent_is_a_finding(bundle: Bundle) -> None:
    for name in ("notifications", "meetings"):
        shutil.rmtree(bundle.folder / name)
    manifest = bundle.manifest()
    manifest["services"] = {
        name: log for name, log in manifest["services"].items() if name not in ("notifications", "meetings")
    }
    (bundle.folder / "manifest.json").write_bytes(orjson.dumps(manifest))
    assert "absent" not in {finding.kind for finding in verify(bundle).findings.listed}
    absent = [finding for finding in verify(bundle, PINNED).findings.listed if finding.kind == "absent"]
    assert {finding.service for finding in absent} == {"notifications", "meetings"}
    assert not verify(bundle, PINNED).holds


def test_a_proof_without_the_log_of_a_pinned_key_is_refused(bundle: Bundle) -> None:
    events = logged(LOGS, "recommendations") + logged(LOGS, "meetings")
    content = orjson.loads(proof_of(bundle, events, "recommendations", "meetings"))
    del content["checkpoints"]["meetings"]
    content["events"] = [each for each in content["events"] if each["service"] != "meetings"]
    with pytest.raises(NotProven, match="the proof has no checkpoint of that log"):
        check(orjson.dumps(content), PINNED)


def test_a_member_twice_in_a_proof_is_refused(bundle: Bundle) -> None:
    raw = proof_of(bundle, logged(LOGS, "recommendations") + logged(LOGS, "meetings"), "recommendations", "meetings")
    twice = raw.replace(b'"actor":', b'"actor":"another","actor":', 1)
    assert orjson.loads(twice) == orjson.loads(raw)
    with pytest.raises(NotProven, match="gives the member 'actor' twice"):
        check(twice, PINNED)
    with pytest.raises(NotProven, match="gives the member 'format' twice"):
        check(raw.replace(b'{"format":1', b'{"format":1,"format":1', 1), PINNED)


def test_an_event_that_a_witness_saw_before_its_time_is_a_finding(tmp_path: Path) -> None:
    recorded_at = datetime(2021, 1, 1, tzinfo=UTC)
    office = TrustedKeys((), (OFFICE.verifier,))
    for seconds, holds in ((-61, False), (-59, True), (3_600, True)):
        bundle = exported(many(300).sign_all(), tmp_path / str(seconds))
        Witness(OFFICE, tmp_path / f"{seconds}.json").vouch(bundle, recorded_at + timedelta(seconds=seconds))
        done = verify(bundle, office)
        assert done.holds is holds
        if not holds:
            finding = done.findings.listed[0]
            assert (finding.kind, finding.position, finding.stream) == ("ahead", 0, "meeting/synthetic-0")
            assert f"the witness {OFFICE.name} vouched for it at 2020-12-31T23:58:59Z" in finding.what
            assert done.findings.count == 300


def test_events_recorded_after_a_cosigned_size_are_not_bound_by_it(tmp_path: Path) -> None:
    logs = many(300)
    first = exported(SyntheticLogs(logs.events | {"meetings": logs.events["meetings"][:200]}, logs.signers).sign_all(),
                     tmp_path / "export")  # fmt: skip
    Witness(OFFICE, tmp_path / "memory.json").vouch(first, datetime(2020, 1, 1, tzinfo=UTC))
    later = exported(SyntheticLogs(logs.events, logs.signers).sign_all(), tmp_path / "export")
    done = verify(later, TrustedKeys((), (OFFICE.verifier,)))
    assert (done.findings.count, done.findings.listed[-1].position) == (200, 199)


def test_times_ahead_of_the_export_are_named_and_are_no_fault(bundle: Bundle) -> None:
    done = verify(bundle)
    assert done.holds
    assert done.ahead.count == done.events > 0
    assert any(line.startswith("Recorded after the export was made: ") for line in as_text(done))
    manifest = bundle.manifest() | {"made_at": "yesterday"}
    (bundle.folder / "manifest.json").write_bytes(orjson.dumps(manifest))
    assert "made_at is no time" in verify(bundle).findings.listed[0].what

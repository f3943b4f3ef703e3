"""One trace in one file: it is checked alone, and whatever is changed in it is found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.recommendations.trace import SHAPE, trace_bytes
from shared.events import recommendations as r
from shared.tlog.checkpoints import cosign
from shared.tlog.notes import COSIGNATURE, Note, Signer
from tests.audit.synthetic import SyntheticLogs
from tests.cli.terminal import output_of, throughline
from tests.history import a_history, composed
from tests.replay.bundles import expected, of_history
from tools.audit.proof import NotProven, check
from tools.audit.signatures import TrustedKeys

pytestmark = pytest.mark.slow

ONE, TWO = "SYN/2031/R1", "SYN/2031/R2"
Content = dict[str, Any]


@pytest.fixture(scope="module")
def ledgers() -> SyntheticLogs:
    return SyntheticLogs(of_history(a_history())).sign_all(0.5)


@pytest.fixture(scope="module")
def bundle(ledgers: SyntheticLogs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    ledgers.export(folder)
    return folder


@pytest.fixture(scope="module")
def proof(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("proof") / "one.json"
    done = throughline(None, "audit", "prove", ONE, "--from", str(bundle), "--out", str(file))
    assert done.exit_code == 0, done.output
    return file


def given(ledgers: SyntheticLogs, *services: str) -> TrustedKeys:
    return TrustedKeys.of(ledgers.signers[service].verifier for service in services or ("meetings", "recommendations"))


def test_a_proof_holds_the_trace_and_all_that_it_rests_on(proof: Path, ledgers: SyntheticLogs) -> None:
    proven = check(proof.read_bytes(), given(ledgers))
    trace = expected(ledgers.events)[ONE]
    assert trace_bytes(proven.trace) == trace_bytes(trace)
    assert sum(proven.events.values()) == sum(version for _, version, _ in trace["based_on"])
    assert proven.streams == len(trace["based_on"])
    assert {service: each.size for service, each in proven.checkpoints.items()} == {
        "meetings": len(ledgers.events["meetings"]),
        "recommendations": len(ledgers.events["recommendations"]),
    }


def test_a_stream_left_out_is_named_even_if_the_trace_is_composed_without_it(
    proof: Path, ledgers: SyntheticLogs
) -> None:
    content = json.loads(proof.read_bytes())
    left_out = [stream for stream, *_ in content["trace"]["based_on"] if not stream.startswith("recommendation/")]
    assert len(left_out) > 2
    for stream in left_out:
        events = [each for each in content["events"] if each["event"]["subject"] != stream]
        records = [record for record in a_history().all() if record.key != stream.encode()]
        trace = composed(records)[ONE]
        with pytest.raises(NotProven, match=rf"has no event of {stream}, which the trace rests on"):
            check(json.dumps(content | {"events": events, "trace": trace}).encode(), given(ledgers))


def test_a_session_that_a_report_was_asked_for_need_not_be_on_record(tmp_path: Path) -> None:
    duty = r.ReportingDuty(body="Commission", session=77)
    history = a_history()
    history.add("instrument/i1", r.ProvisionRegistered(provision="i1/r", summary="Report", reporting_duty=duty))
    ledgers = SyntheticLogs(of_history(history)).sign_all(0.5)
    ledgers.export(tmp_path / "bundle")
    file, keys = tmp_path / "one.json", [word for key in given(ledgers).logs for word in ("--key", key.vkey)]
    result = throughline(None, "audit", "prove", ONE, "--from", str(tmp_path / "bundle"), "--out", str(file))
    assert result.exit_code == 0, result.output
    assert check(file.read_bytes(), given(ledgers)).without == ["body_session/commission-77"]
    done = throughline(None, "audit", "verify-proof", str(file), *keys)
    assert done.exit_code == 0, done.output
    assert "Nothing in it says that body_session/commission-77 is on record" in output_of(done)


def test_a_proof_is_small_and_may_be_laid_out_otherwise(proof: Path, ledgers: SyntheticLogs, tmp_path: Path) -> None:
    content = json.loads(proof.read_bytes())
    bare = len(json.dumps([each["event"] for each in content["events"]])) + len(json.dumps(content["trace"]))
    assert proof.stat().st_size < 1.3 * bare
    pretty = tmp_path / "pretty.json"
    pretty.write_text(json.dumps(content, indent=4, sort_keys=True))
    assert check(pretty.read_bytes(), given(ledgers)).reference == ONE


EARLIER = Path(__file__).with_name("shape-1.proof.json")


def test_a_recorded_proof_of_shape_1_still_verifies_and_its_trace_is_not_compared() -> None:
    keys = [word for vkey in json.loads(EARLIER.read_bytes())["keys"].values() for word in ("--key", vkey)]
    done = throughline(None, "audit", "verify-proof", str(EARLIER), *keys)
    assert done.exit_code == 0, done.output
    assert f"the trace: made by shape 1, not compared; this program composes shape {SHAPE}" in output_of(done)
    assert f"proven: 29 events of 8 streams that the trace of {ONE} rests on" in output_of(done)
    shown = json.loads(throughline(None, "audit", "verify-proof", str(EARLIER), *keys, "--format", "json").stdout)
    assert (shown["compared"], shown["made_by_shape"], shown["trace"]) == (False, 1, None)


def moved_head(content: Content) -> None:
    content["trace"]["based_on"][0][1] += 1


def left_out_stream(content: Content) -> None:
    stream = content["trace"]["based_on"].pop(0)[0]
    content["events"] = [each for each in content["events"] if each["event"]["subject"] != stream]
    content["trace"]["based_on"].append([stream, 1])


def changed_word(content: Content) -> None:
    content["events"][0]["event"]["data"]["status"] = "verified"


def test_a_proof_that_claims_an_earlier_shape_shows_no_trace_and_leaves_no_stream_out(
    proof: Path, ledgers: SyntheticLogs
) -> None:
    content = json.loads(proof.read_bytes())
    own = f"recommendation/{ONE}"
    content["events"] = [each for each in content["events"] if each["event"]["subject"] == own]
    heads = [[stream, version] for stream, version, _ in content["trace"]["based_on"] if stream == own]
    content["trace"] |= {"shape": 1, "based_on": heads}
    with pytest.raises(NotProven, match=r"has no event of .*, which the trace rests on"):
        check(json.dumps(content).encode(), given(ledgers))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (moved_head, "rests on other events than those in the file"),
        (left_out_stream, "has no event of .*, which the trace rests on"),
        (changed_word, "the event is not in the log as it is here"),
    ],
)
def test_a_changed_proof_of_shape_1_is_not_proven(change: Callable[[Content], None], says: str) -> None:
    content = json.loads(EARLIER.read_bytes())
    change(content)
    with pytest.raises(NotProven, match=says):
        check(json.dumps(content).encode(), TrustedKeys())


def test_what_the_events_do_not_make_is_not_shown_as_proven(
    proof: Path, ledgers: SyntheticLogs, tmp_path: Path
) -> None:
    content = json.loads(proof.read_bytes())
    content["trace"] |= {"made_of": "Synthetic forgery", "_id": json.loads("[" * 300 + "]" * 300), "revision": 7}
    (file := tmp_path / "more.json").write_text(json.dumps(content))
    keys = [word for key in given(ledgers).logs for word in ("--key", key.vkey)]
    done = throughline(None, "audit", "verify-proof", str(file), *keys, "--format", "json")
    assert done.exit_code == 0, done.output
    shown = json.loads(done.stdout)
    assert shown["keys_given"] is True
    assert not {"made_of", "_id", "revision"} & shown["trace"].keys()


@pytest.mark.parametrize("entry", [b'{"subject":"\xff"}', b'no JSON, and "subject":"recommendation/SYN/2031/R1"'])
def test_a_bundle_with_a_hostile_entry_proves_nothing(bundle: Path, tmp_path: Path, entry: bytes) -> None:
    shutil.copytree(bundle, tmp_path / "export")
    file = next(file for file in (tmp_path / "export/meetings/tile/entries").rglob("*") if file.is_file())
    content = file.read_bytes()
    size = int.from_bytes(content[:2], "big")
    file.write_bytes(len(entry).to_bytes(2, "big") + entry + content[2 + size :])
    out = tmp_path / "one.json"
    done = throughline(None, "audit", "prove", ONE, "--from", str(tmp_path / "export"), "--out", str(out))
    assert done.exit_code in (0, 1, 2)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert done.exit_code == 0 or not out.exists()


def test_a_witness_under_key_pins_nothing_and_is_refused(proof: Path) -> None:
    witness = Signer.generate("synthetic.example/office", COSIGNATURE).verifier
    done = throughline(None, "audit", "verify-proof", str(proof), "--key", witness.vkey)
    assert done.exit_code == 2
    assert "--witness" in output_of(done)


def test_a_verified_proof_is_printed_as_text_and_as_json(proof: Path, ledgers: SyntheticLogs) -> None:
    keys = [word for key in given(ledgers).logs for word in ("--key", key.vkey)]
    done = throughline(None, "audit", "verify-proof", str(proof), *keys)
    assert done.exit_code == 0, done.output
    assert f"proven: {ONE}, " in output_of(done)
    assert all(f", signed with {key.name}+{key.key_id.hex()}\n" in done.stdout for key in given(ledgers).logs[1:3])
    assert "own word" not in output_of(done)
    unpinned = throughline(None, "audit", "verify-proof", str(proof))
    assert unpinned.exit_code == 0
    assert "These keys are the file's own word." in output_of(unpinned)
    assert given(ledgers).logs[0].vkey in output_of(unpinned).split()
    content = json.loads(throughline(None, "audit", "verify-proof", str(proof), *keys, "--format", "json").stdout)
    assert (content["proven"], content["reference"]) == (True, ONE)


def other_event(content: Content) -> None:
    content["events"][3]["event"]["actor"] = "somebody-else"


def other_position(content: Content) -> None:
    content["events"][3]["position"] += 1


def other_trace(content: Content) -> None:
    content["trace"]["dispositions"][0]["outcome"] = "noted"


def other_reference(content: Content) -> None:
    content["reference"] = TWO


def other_hash(content: Content) -> None:
    content["hashes"][0] = content["hashes"][1]


def event_left_out(content: Content) -> None:
    at = next(i for i, each in enumerate(content["events"]) if each["event"]["subject"] == "meeting/m1")
    del content["events"][at]


def last_event_left_out(content: Content) -> None:
    """The correction that changed the disposition: the trace is then another one."""
    own = [each for each in content["events"] if each["event"]["subject"] == f"recommendation/{ONE}"]
    content["events"].remove(max(own, key=lambda each: each["event"]["streamversion"]))


def event_twice(content: Content) -> None:
    content["events"].append(content["events"][0])


def other_size(content: Content) -> None:
    note = content["checkpoints"]["meetings"].split("\n")
    content["checkpoints"]["meetings"] = "\n".join([note[0], "4", *note[2:]])


def other_log(content: Content) -> None:
    content["checkpoints"]["meetings"] = content["checkpoints"]["recommendations"]


def other_shape(content: Content) -> None:
    content["trace"]["shape"] = 99


FAULTS: dict[Callable[[Content], None], str] = {
    other_event: "the event is not in the log as it is here",
    other_position: "the event is not in the log as it is here",
    other_trace: f"these events do not make this trace of {ONE}",
    other_reference: f"the file has no event of recommendation/{TWO}",
    other_hash: "the event is not in the log as it is here",
    event_left_out: "meeting/m1: its events do not continue each other",
    last_event_left_out: f"these events do not make this trace of {ONE}",
    event_twice: "its events do not continue each other",
    other_size: "the checkpoint of meetings",
    other_log: "the checkpoint of meetings",
    other_shape: "the trace has shape 99",
}


@pytest.mark.parametrize(("change", "words"), FAULTS.items(), ids=lambda item: getattr(item, "__name__", ""))
@pytest.mark.parametrize("trusting", [True, False], ids=["keys given", "own keys"])
def test_a_change_in_a_proof_is_detected_and_named(
    proof: Path, ledgers: SyntheticLogs, tmp_path: Path, change: Callable[[Content], None], words: str, trusting: bool
) -> None:
    content = json.loads(proof.read_bytes())
    change(content)
    with pytest.raises(NotProven, match=words):
        check(json.dumps(content).encode(), given(ledgers) if trusting else TrustedKeys())
    spoilt = tmp_path / "spoilt.json"
    spoilt.write_text(json.dumps(content))
    done = throughline(None, "audit", "verify-proof", str(spoilt))
    assert (done.exit_code, "NOT PROVEN" in output_of(done)) == (1, True)


def test_a_proof_signed_by_another_key_is_refused(proof: Path) -> None:
    strangers = SyntheticLogs(of_history(a_history())).sign_all()
    with pytest.raises(NotProven, match="signed with no known key"):
        check(proof.read_bytes(), given(strangers))


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b'{"format":1}', b"\xff", b'{"format":2}'])
def test_a_file_that_is_no_proof_is_refused(raw: bytes) -> None:
    with pytest.raises(NotProven):
        check(raw, TrustedKeys())


def test_a_required_witness_must_vouch(proof: Path, ledgers: SyntheticLogs) -> None:
    office = Signer.generate("witness.synthetic", COSIGNATURE)
    trusted = TrustedKeys(given(ledgers).logs, (office.verifier,))
    with pytest.raises(NotProven, match=r"carries no cosignature of witness\.synthetic"):
        check(proof.read_bytes(), trusted)
    content = json.loads(proof.read_bytes())
    for service, note in content["checkpoints"].items():
        vouched = cosign(Note.parse(note.encode()), office, datetime(2041, 1, 1, tzinfo=UTC))
        content["checkpoints"][service] = vouched.raw().decode()
    proven = check(json.dumps(content).encode(), trusted)
    assert [each.witness.name for each in proven.vouching["meetings"]] == ["witness.synthetic"]


def test_an_unknown_reference_and_a_malformed_one_are_refused(bundle: Path, tmp_path: Path) -> None:
    for reference, code, words in (
        ("SYN/2031/R9", 1, "SYN/2031/R9 is not on record"),
        ("R9", 2, "is not a reference"),
    ):
        done = throughline(None, "audit", "prove", reference, "--from", str(bundle), "--out", str(tmp_path / "p.json"))
        assert (done.exit_code, words in output_of(done)) == (code, True), done.output
    assert throughline(None, "audit", "verify-proof", str(tmp_path / "p.json")).exit_code == 2
    assert throughline(None, "audit", "verify-proof", str(bundle / "manifest.json"), "--key", "none").exit_code == 2

"""An export is continued, never rewritten; another history is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import orjson
import pytest

from shared.events.catalogue import SERVICES
from tests.audit.synthetic import SyntheticLogs, exported, many, signer, simulated
from tests.history import composed
from tools.audit.bundle import Bundle, NotReadable
from tools.audit.log_writer import CannotExport
from tools.audit.signatures import TrustedKeys
from tools.audit.verifying import verify

pytestmark = pytest.mark.slow


@cache
def whole() -> SyntheticLogs:
    return simulated(2_500)


def part(share: float) -> SyntheticLogs:
    """Return the same ledgers when they were shorter."""
    return SyntheticLogs(
        {name: raws[: int(len(raws) * share)] for name, raws in whole().events.items()}, whole().signers
    )


def files(bundle: Bundle) -> dict[str, bytes]:
    return {
        str(path.relative_to(bundle.folder)): path.read_bytes()
        for service in SERVICES
        for path in (bundle.folder / service).rglob("*")
        if path.is_file()
    }


@pytest.mark.drill
def test_an_export_in_steps_equals_an_export_in_one_step(tmp_path: Path) -> None:
    ledgers = SyntheticLogs(whole().events, whole().signers)
    for share in (0, 0.001, 0.4, 0.41, 1):
        shorter = part(share)
        for service, events in shorter.events.items():
            ledgers.signed[service] |= {len(events): shorter.sign(service)}
        shorter.signed = {name: dict(signed) for name, signed in ledgers.signed.items()}
        stepwise = exported(shorter, tmp_path / "stepwise")
        assert verify(stepwise, TrustedKeys()).holds
    one_step = exported(ledgers, tmp_path / "one-step")
    assert files(stepwise) == files(one_step)
    assert stepwise.traces() == one_step.traces()


def test_a_second_export_reads_only_new_events(tmp_path: Path) -> None:
    exported(part(0.5).sign_all(), tmp_path / "export")
    starts: dict[str, int] = {}

    class Watched(SyntheticLogs):
        def entries(self, service: str, start: int, end: int) -> list[bytes]:
            starts[service] = start
            return self.events[service][start:end]

    later = Watched(whole().events, whole().signers).sign_all(0.5)
    done = later.export(tmp_path / "export")
    assert starts == {name: len(raws) // 2 for name, raws in whole().events.items()}
    assert done.new == {name: len(raws) - len(raws) // 2 for name, raws in whole().events.items()}


def test_an_export_is_not_overwritten_by_another_history(tmp_path: Path) -> None:
    bundle = exported(part(0.5).sign_all(), tmp_path / "export")
    before = files(bundle)
    for other in (
        SyntheticLogs(simulated(2_500, seed=8).events, whole().signers),
        SyntheticLogs(whole().events, {name: signer(name, "elsewhere") for name in SERVICES}),
        part(0.4),
    ):
        with pytest.raises(CannotExport):
            exported(other.sign_all(), tmp_path / "export")
    assert {name: content for name, content in files(bundle).items() if name in before} == before
    assert verify(bundle, TrustedKeys()).holds


def test_a_damaged_export_is_not_continued(tmp_path: Path) -> None:
    bundle = exported(part(0.5).sign_all(), tmp_path / "export")
    path = bundle.logs["meetings"].folder / "tile/0/000"
    path.write_bytes(b"\0" * 32 + path.read_bytes()[32:])
    with pytest.raises(CannotExport, match="verify"):
        exported(SyntheticLogs(whole().events, whole().signers).sign_all(0.5), tmp_path / "export")


def test_events_that_do_not_make_the_signed_root_are_not_exported(tmp_path: Path) -> None:
    forged = SyntheticLogs(dict(whole().events), whole().signers).sign_all()
    forged.events = {name: [*raws[:-1], raws[0]] for name, raws in whole().events.items()}
    with pytest.raises(CannotExport, match="do not make the root"):
        exported(forged, tmp_path / "export")
    forged.events = {name: raws[:-1] for name, raws in whole().events.items()}
    with pytest.raises(CannotExport, match="gave"):
        exported(forged, tmp_path / "export-2")
    assert not (tmp_path / "export/nominations/checkpoint").exists()


def test_a_folder_that_is_no_bundle_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("synthetic")
    with pytest.raises(NotReadable, match="no bundle"):
        exported(part(1).sign_all(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_a_log_without_checkpoints_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(CannotExport, match="signed no checkpoint"):
        exported(part(1), tmp_path / "export")


def test_earlier_checkpoints_stay_verifiable_after_key_rotation(tmp_path: Path) -> None:
    ledgers = part(0.5).sign_all()
    old = [ledgers.signers[name].verifier for name in SERVICES]
    exported(ledgers, tmp_path / "export")
    after = SyntheticLogs(whole().events, {name: signer(name) for name in SERVICES})
    after.earlier_keys = {name: [whole().signers[name].verifier] for name in SERVICES}
    after.signed = {name: dict(ledgers.signed[name]) for name in SERVICES}
    bundle = exported(after.sign_all(), tmp_path / "export")
    assert verify(bundle, TrustedKeys()).holds
    new = [after.signers[name].verifier for name in SERVICES]
    assert verify(bundle, TrustedKeys((*new, *old))).holds
    assert {finding.kind for finding in verify(bundle, TrustedKeys(tuple(old))).findings.listed} == {"key"}
    without_old = verify(bundle, TrustedKeys(tuple(new))).findings.listed
    assert {finding.kind for finding in without_old} == {"key"}
    assert all("if the key was changed, give both" in finding.what for finding in without_old)
    assert bundle.logs["meetings"].keys() == [new[1], old[1]]


def test_a_replaced_key_that_signs_again_is_found_beside_the_earlier_export(tmp_path: Path) -> None:
    ledgers = part(0.5).sign_all(0.5)
    exported(ledgers, tmp_path / "rotated")
    after = SyntheticLogs(part(0.75).events, {name: signer(name) for name in SERVICES})
    after.earlier_keys = {name: [whole().signers[name].verifier] for name in SERVICES}
    after.signed = {name: dict(ledgers.signed[name]) for name in SERVICES}
    rotated = exported(after.sign_all(), tmp_path / "rotated")
    forged = exported(SyntheticLogs(whole().events, whole().signers).sign_all(), tmp_path / "forged")
    both = TrustedKeys(tuple(each.verifier for each in (*after.signers.values(), *whole().signers.values())))
    assert verify(rotated, both).holds
    assert verify(forged, both).holds
    findings = verify(forged, both, since=rotated).findings.listed
    assert {(finding.service, finding.kind) for finding in findings} == {(name, "key") for name in SERVICES}
    assert all("which was replaced before" in finding.what for finding in findings)


def test_logs_of_two_deployments_are_no_bundle_of_one(tmp_path: Path) -> None:
    bundle = exported(part(0.5).sign_all(), tmp_path / "export")
    other = SyntheticLogs(part(0.5).events, {name: signer(name, "elsewhere") for name in SERVICES}).sign_all()
    foreign = exported(other, tmp_path / "other")
    shutil.rmtree(bundle.folder / "meetings")
    shutil.copytree(foreign.folder / "meetings", bundle.folder / "meetings")
    manifest = json.loads((bundle.folder / "manifest.json").read_text())
    stated = json.loads((foreign.folder / "manifest.json").read_text())["services"]
    manifest["services"]["meetings"] = stated["meetings"]
    (bundle.folder / "manifest.json").write_text(json.dumps(manifest))
    (finding,) = verify(Bundle(bundle.folder), TrustedKeys()).findings.listed
    assert (finding.service, finding.kind) == ("meetings", "manifest")
    assert "throughline.elsewhere/meetings" in finding.what


def test_an_empty_deployment_is_exported_and_verified(tmp_path: Path) -> None:
    done = verify(exported(part(0).sign_all(), tmp_path / "export"), TrustedKeys())
    assert done.holds
    assert done.events == 0


def test_the_digests_are_those_of_the_composed_traces(tmp_path: Path) -> None:
    from services.recommendations.trace import trace_bytes
    from shared.consumer.record import KafkaRecord
    from shared.events.canonical import sha256_hex
    from tests.proofs import headers_by

    ledgers = simulated(4_000).sign_all()
    bundle = exported(ledgers, tmp_path / "export")
    records = [
        KafkaRecord(
            f"throughline.{service}",
            0,
            position,
            orjson.loads(raw)["subject"].encode(),
            raw,
            headers_by(service, raw, position),
        )
        for service in ("meetings", "recommendations")
        for position, raw in enumerate(ledgers.events[service])
    ]
    expected = {reference: sha256_hex(trace_bytes(trace)) for reference, trace in composed(records).items()}
    assert {name: each["digest"] for name, each in bundle.traces()["traces"].items()} == expected
    assert len(expected) > 10


@pytest.mark.parametrize("content", [b"", b"[]", b'{"format": 2}', b"{}"])
def test_a_bundle_of_another_format_is_not_readable(content: bytes, tmp_path: Path) -> None:
    bundle = exported(part(0.1).sign_all(), tmp_path / "export")
    (bundle.folder / "manifest.json").write_bytes(content)
    with pytest.raises(NotReadable, match=r"manifest\.json|format"):
        verify(bundle, TrustedKeys())


@pytest.mark.drill
def test_two_processes_report_the_same_findings(tmp_path: Path) -> None:
    bundle = exported(many(3_000).sign_all(0.5), tmp_path / "export")
    path = bundle.logs["meetings"].folder / "tile/entries/003"
    path.write_bytes(path.read_bytes().replace(b"Synthetic outcome", b"Synthetic outcoma", 1))
    alone, shared = (verify(bundle, TrustedKeys(), jobs=jobs) for jobs in (1, 2))
    assert alone.findings == shared.findings
    assert alone.findings.listed[0].position == 768
    assert alone.events == shared.events == 3_000


@pytest.mark.parametrize("after", [1, 200])
def test_an_interrupted_export_leaves_every_log_whole_and_is_continued(after: int, tmp_path: Path) -> None:
    bundle = exported(part(0.5).sign_all(), tmp_path / "export")
    later = SyntheticLogs(whole().events, whole().signers).sign_all(0.5)

    class Broken(SyntheticLogs):
        def entries(self, service: str, start: int, end: int) -> Iterator[bytes]:
            yield from self.events[service][start : min(end, start + after)]
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        Broken(later.events, later.signers, signed=later.signed).export(tmp_path / "export")
    assert {finding.kind for finding in verify(bundle, TrustedKeys()).findings.listed} <= {"manifest"}
    later.export(tmp_path / "export")
    done = verify(bundle, TrustedKeys())
    assert done.holds
    assert done.events == sum(map(len, whole().events.values()))
    assert not [path for path in bundle.folder.rglob(".*") if path.is_file()]

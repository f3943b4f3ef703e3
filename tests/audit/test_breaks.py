"""A log that was lost and restored: `verify` and witnesses say so, and no forger passes a rewritten record as one."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from shutil import copytree
from tempfile import mkdtemp

import orjson
import pytest

from shared.events.catalogue import SERVICES
from shared.tlog.breaks import LogBreak
from shared.tlog.keys import origin_of
from shared.tlog.merkle import leaf_hash, root_of
from shared.tlog.notes import COSIGNATURE, Signer
from tests.audit.synthetic import SyntheticLogs, exported, signer, simulated
from tests.cli.terminal import output_of, throughline
from tools.audit.bundle import Bundle
from tools.audit.report import as_json, as_text
from tools.audit.signatures import TrustedKeys
from tools.audit.verifying import Verification, verify
from tools.audit.witness import WillNotVouch, Witness

pytestmark = pytest.mark.slow
AT = datetime(2041, 1, 2, 3, 4, 5, tzinfo=UTC)
OFFICE = Signer.generate("synthetic.example/audit-office", COSIGNATURE)
OLD = {name: signer(name, "old") for name in SERVICES}
NEW = {name: signer(name, "new") for name in SERVICES}
OLD_ORIGINS = tuple(origin_of("old", name) for name in SERVICES)


@cache
def events(seed: int = 7) -> dict[str, list[bytes]]:
    return simulated(120, seed).events


def cut(share: float, seed: int = 7) -> dict[str, list[bytes]]:
    return {name: raws[: int(len(raws) * share)] for name, raws in events(seed).items()}


def old_logs(share: float) -> SyntheticLogs:
    return SyntheticLogs(cut(share), OLD).sign_all()


def restored(
    lost_at: float,
    now: float = 1.0,
    *,
    old: dict[str, Signer] | None = OLD,
    new: dict[str, Signer] = NEW,
    seed: int = 7,
) -> SyntheticLogs:
    """The logs that were restored from an export of a share of the events, and went on."""
    logs = SyntheticLogs(cut(now, seed), new)
    for name, raws in cut(lost_at, seed).items():
        root = root_of([leaf_hash(raw) for raw in raws])
        declared = LogBreak(new[name].verifier, origin_of("old", name), len(raws), root, AT, ("synthetic",))
        logs.broken[name] = [declared.signed(new[name], old[name] if old else None)]
    return logs.sign_all(lost_at)


@cache
def earlier_export(share: float) -> Bundle:
    """An export of the lost logs, which nobody changes."""
    return exported(old_logs(share), Path(mkdtemp(prefix="throughline-breaks-")))


@cache
def later_export() -> Bundle:
    """An export of the logs restored from a half, which nobody changes."""
    return exported(restored(0.5), Path(mkdtemp(prefix="throughline-breaks-")))


def copied(bundle: Bundle, folder: Path) -> Bundle:
    return Bundle(copytree(bundle.folder, folder))


def keys(*signers: dict[str, Signer]) -> TrustedKeys:
    return TrustedKeys(tuple(each.verifier for some in signers for each in some.values()))


def kinds(done: Verification) -> set[str]:
    return {finding.kind for finding in done.findings.listed}


@pytest.mark.parametrize("trusted", [TrustedKeys(), keys(OLD, NEW)], ids=["no keys", "keys of both"])
def test_a_restored_log_continues_the_earlier_export_across_a_declared_break(
    tmp_path: Path, trusted: TrustedKeys
) -> None:
    earlier = earlier_export(0.5)
    done = verify(later_export(), trusted, earlier)
    assert done.holds, as_text(done)
    lines = as_text(done)
    assert lines[-1].endswith(", across 4 declared breaks")
    assert sum("DECLARED BREAK at size" in line for line in lines) == 4
    assert sum(f"signed by the old log's key {OLD['meetings'].name}+" in line for line in lines) == 1
    declared = as_json(done)["logs"]["meetings"]["breaks"]
    assert declared[0]["continues"] == origin_of("old", "meetings")
    assert declared[0]["signed_by_old_key"] == OLD["meetings"].verifier.vkey
    orjson.dumps(as_json(done))


def test_an_export_from_well_before_the_break_is_continued_too(tmp_path: Path) -> None:
    earlier = earlier_export(0.2)
    assert verify(later_export(), keys(OLD, NEW), earlier).holds


def test_without_a_break_another_origin_is_a_finding_as_before(tmp_path: Path) -> None:
    earlier = earlier_export(0.5)
    later = exported(SyntheticLogs(cut(1), NEW).sign_all(), tmp_path / "later")
    assert "origin" in kinds(verify(later, TrustedKeys(), earlier))


def test_a_break_that_no_old_key_signed_is_a_loud_finding_until_the_auditor_accepts_it(tmp_path: Path) -> None:
    earlier = earlier_export(0.5)
    later = exported(restored(0.5, old=None), tmp_path / "later")
    for since, trusted in ((earlier, TrustedKeys()), (None, TrustedKeys()), (None, keys(OLD, NEW))):
        done = verify(later, trusted, since)
        assert kinds(done) == {"break"}
        assert done.findings.count == 4
        assert "NO KEY OF throughline.old/" in as_text(done)[-2]
    accepting = TrustedKeys(keys(OLD, NEW).logs, (), OLD_ORIGINS)
    done = verify(later, accepting, earlier)
    assert done.holds
    assert any("NO KEY OF throughline.old/meetings SIGNED IT" in line for line in as_text(done)), "it stays loud"


def test_a_forger_with_a_key_of_his_own_under_the_old_name_is_found(tmp_path: Path) -> None:
    earlier = earlier_export(0.5)
    own = {name: signer(name, "old") for name in SERVICES}
    later = exported(restored(0.5, old=own), tmp_path / "later")
    assert kinds(verify(later, TrustedKeys(), earlier)) == {"break"}
    assert kinds(verify(later, keys(OLD, NEW))) == {"break"}
    done = verify(later, TrustedKeys())
    assert any("which is no known key of that log" in line for line in as_text(done))


def test_a_rewritten_record_does_not_pass_as_a_break_even_under_the_true_old_key(tmp_path: Path) -> None:
    rewritten = exported(restored(1.0, seed=8), tmp_path / "later")
    assert verify(rewritten, keys(OLD, NEW)).holds, "alone it is well formed"
    assert kinds(verify(rewritten, keys(OLD, NEW), earlier_export(0.3))) == {"root"}


def test_a_break_that_states_another_root_than_its_log_has_is_a_finding(tmp_path: Path) -> None:
    logs = restored(0.5)
    logs.events = events(8)
    logs.signed = {name: {} for name in SERVICES}
    later = exported(logs.sign_all(), tmp_path / "later")
    assert "root" in kinds(verify(later, keys(OLD, NEW)))


def test_what_an_earlier_export_holds_may_not_be_declared_lost(tmp_path: Path) -> None:
    earlier = earlier_export(0.7)
    done = verify(later_export(), keys(OLD, NEW), earlier)
    assert kinds(done) == {"break"}
    assert all("are not lost, and are missing here" in finding.what for finding in done.findings.listed)


def test_a_break_moved_to_another_log_is_a_finding(tmp_path: Path) -> None:
    logs = restored(0.5)
    logs.broken["meetings"] = logs.broken["nominations"]
    assert "break" in kinds(verify(exported(logs, tmp_path / "later"), keys(OLD, NEW)))


def test_a_key_of_the_lost_log_is_not_called_absent(tmp_path: Path) -> None:
    later = later_export()
    assert verify(later, keys(OLD, NEW)).holds
    without = exported(SyntheticLogs(cut(1), NEW).sign_all(), tmp_path / "without")
    assert kinds(verify(without, keys(OLD, NEW))) == {"absent"}


@pytest.fixture
def office(tmp_path: Path) -> Witness:
    return Witness(OFFICE, tmp_path / "witness.json")


def test_a_witness_vouches_across_a_break_and_never_for_the_lost_log_again(office: Witness, tmp_path: Path) -> None:
    office.vouch(copied(earlier_export(0.5), tmp_path / "earlier"), AT)
    later = copied(later_export(), tmp_path / "later")
    assert {each.continues for each in office.vouch(later, AT)} == set(OLD_ORIGINS)
    assert {each.continues for each in office.vouch(later, AT)} == {None}
    with pytest.raises(WillNotVouch, match="was declared lost"):
        office.vouch(copied(earlier_export(0.9), tmp_path / "revived"), AT)
    other = {name: signer(name, "third") for name in SERVICES}
    with pytest.raises(WillNotVouch, match=r"continues throughline\.old/\w+ already"):
        office.vouch(exported(restored(0.5, new=other), tmp_path / "third"), AT)


@pytest.mark.parametrize("forger", ["none", "own"])
def test_a_witness_does_not_follow_a_break_that_the_old_key_did_not_sign(
    office: Witness, tmp_path: Path, forger: str
) -> None:
    office.vouch(copied(earlier_export(0.5), tmp_path / "earlier"), AT)
    old = None if forger == "none" else {name: signer(name, "old") for name in SERVICES}
    later = exported(restored(0.5, old=old), tmp_path / "later")
    before = office.memory.read_bytes()
    with pytest.raises(WillNotVouch, match=r"NO KEY OF|no known key"):
        office.vouch(later, AT)
    assert office.memory.read_bytes() == before
    accepting = Witness(OFFICE, office.memory, (), OLD_ORIGINS)
    assert {each.continues for each in accepting.vouch(later, AT)} == set(OLD_ORIGINS)


def test_a_witness_does_not_let_what_it_has_seen_be_called_lost(office: Witness, tmp_path: Path) -> None:
    office.vouch(copied(earlier_export(0.7), tmp_path / "earlier"), AT)
    with pytest.raises(WillNotVouch, match="this witness has seen"):
        office.vouch(copied(later_export(), tmp_path / "later"), AT)


def test_a_witness_does_not_vouch_for_another_history_after_a_break(office: Witness, tmp_path: Path) -> None:
    office.vouch(copied(earlier_export(0.3), tmp_path / "earlier"), AT)
    with pytest.raises(WillNotVouch, match="does not continue"):
        office.vouch(exported(restored(1.0, seed=8), tmp_path / "later"), AT)


def test_a_second_break_keeps_the_first_one(tmp_path: Path) -> None:
    newest = {name: signer(name, "newest") for name in SERVICES}
    logs, first = SyntheticLogs(events(), newest), restored(0.3)
    for name, raws in cut(0.6).items():
        root = root_of([leaf_hash(raw) for raw in raws])
        second = LogBreak(newest[name].verifier, origin_of("new", name), len(raws), root, AT)
        logs.broken[name] = [*first.broken[name], second.signed(newest[name], NEW[name])]
    later = exported(logs.sign_all(), tmp_path / "later")
    for earlier in (earlier_export(0.3), exported(restored(0.3, 0.6), tmp_path / "new")):
        done = verify(later, keys(OLD, NEW, newest), earlier)
        assert done.holds, as_text(done)
    assert len(Bundle(tmp_path / "later").logs["meetings"].breaks()) == 2


def test_a_break_that_is_accepted_and_that_the_export_does_not_declare_is_named(tmp_path: Path) -> None:
    folder = str(exported(restored(0.5, old=None), tmp_path / "later").folder)
    (tmp_path / "office.key").write_text(OFFICE.skey)
    office = ("--with", str(tmp_path / "office.key"), "--memory", str(tmp_path / "memory"))
    accepted = [word for origin in OLD_ORIGINS for word in ("--accept-break", origin)]
    for command in (("verify", folder), ("witness", folder, *office)):
        done = throughline(None, "audit", *command, *accepted, "--accept-break", "throughline.odl/meetings")
        assert done.exit_code == 2, done.output
        assert "--accept-break throughline.odl/meetings: the export declares no break of that log" in output_of(done)
        assert "throughline.old/meetings" in output_of(done)
        assert throughline(None, "audit", *command, *accepted).exit_code == 0
    whole = str(earlier_export(1.0).folder)
    done = throughline(None, "audit", "verify", whole, "--accept-break", OLD_ORIGINS[0])
    assert (done.exit_code, "of which it does: none" in output_of(done)) == (2, True), done.output


def test_a_spoilt_break_is_a_finding_even_where_it_is_accepted(tmp_path: Path) -> None:
    later = exported(restored(0.5, old=None), tmp_path / "later")
    note = next((later.folder / "meetings/breaks").iterdir())
    note.write_bytes(note.read_bytes()[:-9])
    done = throughline(None, "audit", "verify", str(later.folder), "--accept-break", "throughline.old/meetings")
    assert done.exit_code == 1, done.output

"""A witness cosigns a growing log, and never two histories of it."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import orjson
import pytest

from shared.events.catalogue import SERVICES
from shared.tlog.notes import COSIGNATURE, Signer
from tests.audit.synthetic import SyntheticLogs, exported, signer, simulated
from tools.audit.bundle import Bundle, NotReadable
from tools.audit.signatures import TrustedKeys
from tools.audit.verifying import verify
from tools.audit.witness import WillNotVouch, Witness

pytestmark = pytest.mark.slow


@cache
def whole() -> SyntheticLogs:
    return simulated(1_500)


OFFICE = Signer.generate("synthetic.example/audit-office", COSIGNATURE)
NOW = datetime(2041, 1, 2, 3, 4, 5, tzinfo=UTC)
WITH_WITNESS = TrustedKeys((), (OFFICE.verifier,))


def part(share: float) -> SyntheticLogs:
    events = {name: raws[: int(len(raws) * share)] for name, raws in whole().events.items()}
    return SyntheticLogs(events, whole().signers).sign_all(0.5)


@pytest.fixture
def office(tmp_path: Path) -> Witness:
    return Witness(OFFICE, tmp_path / "witness.json")


def test_a_growing_log_is_cosigned_and_verify_shows_it(office: Witness, tmp_path: Path) -> None:
    bundle = exported(part(0.5), tmp_path / "export")
    assert {finding.kind for finding in verify(bundle, WITH_WITNESS).findings.listed} == {"witness"}
    assert [each.before for each in office.vouch(bundle, NOW)] == [None] * 4
    checks = verify(bundle, WITH_WITNESS).checks
    first = {service: check.signed.vouching[OFFICE.name] for service, check in checks.items()}
    assert {service: (size, each.at) for service, (size, each) in first.items()} == {
        service: (int(len(whole().events[service]) * 0.5), NOW) for service in SERVICES
    }
    later = exported(part(1), tmp_path / "export")
    assert verify(later, WITH_WITNESS).holds, "the earlier cosignatures are kept"
    assert [each.before for each in office.vouch(later, NOW)] == [first[service][0] for service in SERVICES]
    done = verify(later, WITH_WITNESS)
    assert done.holds
    assert {check.signed.vouching[OFFICE.name][0] for check in done.checks.values()} == set(
        map(len, whole().events.values())
    )


def test_another_key_of_a_witness_goes_on_from_its_memory_and_the_old_one_stays_valid(
    office: Witness, tmp_path: Path
) -> None:
    office.vouch(exported(part(0.5), tmp_path / "export"), NOW)
    later = exported(part(1), tmp_path / "export")
    another = Signer.generate(f"{OFFICE.name}/2042", COSIGNATURE)
    sizes = {service: int(len(whole().events[service]) * 0.5) for service in SERVICES}
    replaced = Witness(another, tmp_path / "witness.json")
    assert [each.before for each in replaced.vouch(later, NOW)] == list(sizes.values())
    done = verify(later, TrustedKeys((), (OFFICE.verifier, another.verifier)))
    assert done.holds
    for service, check in done.checks.items():
        assert check.signed.vouching[OFFICE.name][0] == sizes[service]
        assert check.signed.vouching[another.name][0] == len(whole().events[service])
    with pytest.raises(WillNotVouch):
        replaced.vouch(exported(part(0.5), tmp_path / "shorter"), NOW)


def test_an_earlier_export_needs_no_cosignature(office: Witness, tmp_path: Path) -> None:
    earlier = exported(part(0.5), tmp_path / "earlier")
    later = exported(part(1), tmp_path / "later")
    office.vouch(later, NOW)
    assert verify(later, WITH_WITNESS, since=earlier).holds


def test_a_forged_history_signed_with_the_true_key_is_not_cosigned(office: Witness, tmp_path: Path) -> None:
    office.vouch(exported(part(0.5), tmp_path / "true"), NOW)
    forged = SyntheticLogs(simulated(1_500, seed=8).events, whole().signers).sign_all()
    bundle = exported(forged, tmp_path / "forged")
    assert verify(bundle, TrustedKeys()).holds
    remembered = office.memory.read_bytes()
    with pytest.raises(WillNotVouch, match="does not continue"):
        office.vouch(bundle, NOW)
    assert office.memory.read_bytes() == remembered
    assert {finding.kind for finding in verify(bundle, WITH_WITNESS).findings.listed} == {"witness"}


def test_a_shorter_history_and_a_fork_of_the_same_size_are_not_cosigned(office: Witness, tmp_path: Path) -> None:
    office.vouch(exported(part(1), tmp_path / "true"), NOW)
    with pytest.raises(WillNotVouch, match="has seen"):
        office.vouch(exported(part(0.5), tmp_path / "older"), NOW)
    fork = {name: [*raws[:-1], raws[0]] for name, raws in whole().events.items()}
    with pytest.raises(WillNotVouch, match="nominations: it does not continue"):
        office.vouch(exported(SyntheticLogs(fork, whole().signers).sign_all(), tmp_path / "fork"), NOW)


def test_a_witness_remembers_only_keys_that_signed(office: Witness, tmp_path: Path) -> None:
    bundle = exported(part(0.5), tmp_path / "export")
    thief = signer("meetings")
    keys = bundle.folder / "meetings/log.vkeys"
    keys.write_text(f"{keys.read_text()}{thief.verifier.vkey}\n")
    assert verify(bundle, TrustedKeys()).holds
    office.vouch(bundle, NOW)
    forged = SyntheticLogs(whole().events, whole().signers | {"meetings": thief}).sign_all()
    with pytest.raises(WillNotVouch, match=r"meetings: .* does not know"):
        office.vouch(exported(forged, tmp_path / "forged"), NOW)


def test_a_witness_with_given_keys_cosigns_no_other_log(tmp_path: Path) -> None:
    elsewhere = {name: signer(name, "elsewhere").verifier for name in SERVICES}
    informed = Witness(OFFICE, tmp_path / "witness.json", list(elsewhere.values()))
    with pytest.raises(WillNotVouch, match=r"no key of throughline\.synthetic/nominations is known"):
        informed.vouch(exported(part(0.5), tmp_path / "export"), NOW)
    assert not informed.memory.exists()


def test_a_witness_refuses_an_unknown_key(office: Witness, tmp_path: Path) -> None:
    office.vouch(exported(part(0.5), tmp_path / "export"), NOW)
    new = SyntheticLogs(whole().events, {name: signer(name) for name in SERVICES}).sign_all()
    bundle = exported(new, tmp_path / "new")
    with pytest.raises(WillNotVouch, match="does not know"):
        office.vouch(bundle, NOW)
    informed = Witness(OFFICE, office.memory, [each.verifier for each in new.signers.values()])
    assert len(informed.vouch(bundle, NOW)) == 4


def test_a_checkpoint_whose_tiles_make_another_root_is_not_cosigned(office: Witness, tmp_path: Path) -> None:
    bundle = exported(part(1), tmp_path / "export")
    tile = next(path for path in (bundle.folder / "meetings/tile/1").rglob("*") if path.is_file())
    tile.write_bytes(bytes(len(tile.read_bytes())))
    with pytest.raises(WillNotVouch, match="do not make the root"):
        office.vouch(bundle, NOW)
    assert not office.memory.exists()


def test_a_cosignature_copied_to_another_checkpoint_is_found(office: Witness, tmp_path: Path) -> None:
    bundle = exported(part(1), tmp_path / "export")
    office.vouch(bundle, NOW)
    folder = bundle.folder / "meetings"
    sizes = bundle.logs["meetings"].sizes()
    moved = (folder / f"checkpoints/{sizes[1]}").read_bytes().rpartition(b"\xe2\x80\x94")[2]
    with (folder / f"checkpoints/{sizes[0]}").open("ab") as file:
        file.write(b"\xe2\x80\x94" + moved)
    finding = verify(bundle, WITH_WITNESS).findings.listed[0]
    assert (finding.service, finding.kind) == ("meetings", "signature")
    assert OFFICE.name in finding.what


def test_an_unreadable_memory_file_is_refused(office: Witness, tmp_path: Path) -> None:
    office.memory.write_bytes(orjson.dumps([1]))
    with pytest.raises(NotReadable):
        office.vouch(exported(part(1), tmp_path / "export"), NOW)


def test_cosigning_changes_only_checkpoints(office: Witness, tmp_path: Path) -> None:
    bundle = exported(part(1), tmp_path / "export")
    shutil.copytree(bundle.folder, tmp_path / "before")
    office.vouch(bundle, NOW)
    changed = {
        str(path.relative_to(bundle.folder))
        for path in bundle.folder.rglob("*")
        if path.is_file() and path.read_bytes() != (tmp_path / "before" / path.relative_to(bundle.folder)).read_bytes()
    }
    newest = {f"{name}/checkpoints/{len(raws)}" for name, raws in whole().events.items()}
    assert changed == newest | {f"{name}/checkpoint" for name in SERVICES}
    assert Bundle(tmp_path / "before").logs["meetings"].sizes() == bundle.logs["meetings"].sizes()

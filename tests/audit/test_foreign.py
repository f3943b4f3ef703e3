"""Third-party programs accept an export of more than 65,536 events, and refuse a tampered one.

They are golang.org/x/mod/sumdb (through the small program in foreign/) and transparency-dev/tessera's own fsck.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from shared.tlog.merkle import leaf_hash
from shared.tlog.notes import COSIGNATURE, Signer
from shared.tlog.tiles import Tile, bundle, entries_of
from tests.audit.synthetic import SyntheticLogs, exported, many, signer
from tests.patience import AT_MOST_SECONDS
from tools.audit.bundle import Bundle
from tools.audit.signatures import TrustedKeys
from tools.audit.verifying import verify
from tools.audit.witness import Witness
from tools.local import fetch

pytestmark = [pytest.mark.slow, pytest.mark.drill]

FOREIGN = Path(__file__).parent / "foreign"
FSCK = "github.com/transparency-dev/tessera/cmd/fsck"
EVENTS = 70_000


@cache
def ledgers() -> SyntheticLogs:
    return many(EVENTS).sign_all(0.1, 0.9, 65_536 / EVENTS)


OFFICE = Signer.generate("synthetic.example/office", COSIGNATURE)


@cache
def vkey() -> str:
    return ledgers().signers["meetings"].verifier.vkey


Run = Callable[..., str]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both programs, built from pinned sources by this Go and no other."""
    folder = tmp_path_factory.mktemp("foreign")
    environment = {name: value for name, value in os.environ.items() if name != "GOROOT"} | {"GOTOOLCHAIN": "local"}
    for name, package in (("sumdb", "."), ("fsck", FSCK)):
        command = [str(fetch.go()), "build", "-mod=readonly", "-o", str(folder / name), package]
        process = subprocess.run(
            command, cwd=FOREIGN, env=environment, capture_output=True, text=True, timeout=900, check=False
        )
        assert process.returncode == 0, process.stderr
    return folder


@pytest.fixture(scope="module")
def true(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("big")
    export = exported(ledgers(), folder / "export")
    Witness(OFFICE, folder / "memory.json").vouch(export, datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC))
    return export


@pytest.fixture
def copy(true: Bundle, tmp_path: Path) -> Bundle:
    shutil.copytree(true.folder / "meetings", tmp_path / "export/meetings", copy_function=os.link)
    return Bundle(tmp_path / "export")


def replace(path: Path, content: bytes) -> None:
    """Replace a file that may be a hard link to the untampered one."""
    path.unlink()
    path.write_bytes(content)


def sumdb(built: Path, log: Path, *keys: str) -> str:
    """Return the verdict of the program based on golang.org/x/mod/sumdb."""
    command = [str(built / "sumdb"), str(log), *(keys or (vkey(),))]
    process = subprocess.run(command, capture_output=True, text=True, timeout=AT_MOST_SECONDS, check=False)
    return process.stdout.strip() if process.returncode == 0 else f"refused: {process.stderr}"


def fsck(built: Path, log: Path, *keys: str) -> str:
    """Return the verdict of fsck from its success line, because it exits with 0 even when it fails."""
    key = log.parent / "key"
    key.write_text((keys or (vkey(),))[0])
    command = [str(built / "fsck"), f"--storage_url=file://{log}/", f"--public_key={key}", "--N=8", "--ui=false"]
    try:
        process = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return "refused: it did not end"
    if "Successfully fsck'd log with size" in process.stderr and "failed" not in process.stderr:
        return f"verified {process.stderr.partition('log with size ')[2].split()[0].rstrip(',')}"
    return f"refused: {process.stderr}"


PROGRAMS = pytest.mark.parametrize("program", [sumdb, fsck])


@PROGRAMS
@pytest.mark.parametrize("service", ["meetings", "nominations"])
def test_a_true_export_is_accepted(program: Run, service: str, built: Path, true: Bundle) -> None:
    key = ledgers().signers[service].verifier.vkey
    assert program(built, true.folder / service, key).startswith(f"verified {len(ledgers().events[service])}")


def test_a_cosignature_is_accepted(built: Path, true: Bundle) -> None:
    assert sumdb(built, true.folder / "meetings", vkey(), OFFICE.verifier.vkey) == f"verified {EVENTS}"
    other = Signer.generate(OFFICE.name, COSIGNATURE).verifier.vkey
    assert "1 of 2 keys" in sumdb(built, true.folder / "meetings", vkey(), other)


def test_our_own_verification_accepts_the_export(true: Bundle) -> None:
    done = verify(true, TrustedKeys(), jobs=1)
    assert (done.holds, done.events) == (True, EVENTS)


def flip_an_event(log: Path) -> None:
    path = log / Tile(None, 100).path
    entries = entries_of(path.read_bytes())
    entries[7] = entries[7].replace(b"synthetic-actor", b"synthetic-forger")
    replace(path, bundle(entries))


def drop_an_event(log: Path) -> None:
    path = log / Tile(None, 100).path
    replace(path, bundle(entries_of(path.read_bytes())[1:]))


def swap_two_events(log: Path) -> None:
    path = log / Tile(None, 100).path
    one, other, *rest = entries_of(path.read_bytes())
    replace(path, bundle([other, one, *rest]))


def forge_an_event_with_its_tile(log: Path) -> None:
    flip_an_event(log)
    path = log / Tile(0, 100).path
    entries = entries_of((log / Tile(None, 100).path).read_bytes())
    replace(path, b"".join(leaf_hash(entry) for entry in entries))


def flip_a_tile(log: Path) -> None:
    path = log / Tile(1, 0).path
    replace(path, bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


def truncate(log: Path) -> None:
    (log / Tile(None, EVENTS // 256, EVENTS % 256).path).unlink()


def claim_another_size(log: Path) -> None:
    path = log / "checkpoint"
    replace(path, path.read_bytes().replace(b"\n70000\n", b"\n69999\n"))


TAMPERINGS = [
    *(flip_an_event, drop_an_event, swap_two_events, forge_an_event_with_its_tile),
    *(flip_a_tile, truncate, claim_another_size),
]


@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_a_tampered_export_is_refused_by_both(tamper: Callable[[Path], None], built: Path, copy: Bundle) -> None:
    log = copy.folder / "meetings"
    tamper(log)
    assert sumdb(built, log).startswith("refused"), "sumdb"
    assert fsck(built, log).startswith("refused"), "fsck"


@PROGRAMS
def test_a_wrong_key_is_refused(program: Run, built: Path, copy: Bundle) -> None:
    wrong = signer("meetings").verifier.vkey
    assert program(built, copy.folder / "meetings", wrong).startswith("refused")

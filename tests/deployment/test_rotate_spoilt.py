"""`throughline rotate` where a file is spoilt, a disk full or a group another one."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.cli.terminal import output_of, throughline
from tests.shared.test_production import unprivileged
from tools.deployment import renewal
from tools.deployment.renewal import RESTORE
from tools.deployment.secret_files import Deployment, ensure
from tools.deployment.secret_folder import SecretFolder

ROTATIONS = [
    ("console_keys", "console-keys"), ("console_keys", "console-keys", "--drop-retired"),
    ("mongodb/key", "mongodb-key"), ("mongodb/key", "mongodb-key", "--drop-retired"),
    ("tls/ca.key", "certificates"), ("tls/ca.crt", "certificates"), ("tls/kafka.pem", "certificates"),
    ("tls/ca.crt", "authority"), ("tls/ca.crt", "authority", "--drop-retired"),
    ("tls/kafka.pem", "authority", "--drop-retired"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ensure(SecretFolder(tmp_path / "secrets", owners=False), Deployment("north", (), None))
    return tmp_path / "secrets"


def contents(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def refused(folder: Path, *words: str) -> str:
    """Run a rotation that is refused, and return why; it changed nothing."""
    before = contents(folder)
    done = throughline(None, "rotate", words[0], str(folder), *words[1:])
    assert isinstance(done.exception, SystemExit), repr(done.exception)
    assert (done.exit_code, contents(folder) == before) == (1, True), done.output
    return output_of(done)


@pytest.mark.parametrize("spoilt", ["", "\n", "no key, and no certificate\n"])
@pytest.mark.parametrize("rotation", ROTATIONS, ids=" ".join)
def test_a_spoilt_file_is_named_with_what_to_do(rotation: tuple[str, ...], spoilt: str, folder: Path) -> None:
    path, *words = rotation
    (folder / path).chmod(0o600)
    (folder / path).write_text(spoilt)
    says = refused(folder, *words)
    assert f"{folder / path} " in says
    assert RESTORE in says


def test_keys_of_mongodb_that_somebody_else_wrote_over_several_lines_are_not_taken_for_several(folder: Path) -> None:
    (folder / "mongodb/key").chmod(0o600)
    (folder / "mongodb/key").write_text("c3ludGhldGlj\nc3ludGhldGlj\n")
    assert "neither one key nor a list of keys in YAML" in refused(folder, "mongodb-key", "--drop-retired")


def test_a_full_disk_is_not_called_a_question_of_rights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    says = refused(folder, "console-keys")
    assert "console_keys: No space left on device: mend that, and run this again" in says
    assert "only root" not in says


def test_a_replaced_file_is_of_the_same_group(folder: Path) -> None:
    file = folder / "console_keys"
    user, group = (10_001, 10_002) if os.geteuid() == 0 else (os.geteuid(), max(os.getgroups(), default=os.getegid()))
    os.chown(file, user, group)
    file.chmod(0o440)
    before = file.stat()
    assert throughline(None, "rotate", "console-keys", str(folder)).exit_code == 0
    after = file.stat()
    assert after.st_ino != before.st_ino
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)


def test_somebody_whose_group_has_another_number_replaces_own_files(folder: Path) -> None:
    user, group = (1_234, 100) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    for file in (folder, *folder.rglob("*")):
        os.chown(file, user, group)
    secrets = SecretFolder(folder, owners=False)
    with unprivileged(folder / "console_keys", user, group):
        assert renewal.renew_console_keys(secrets) == ["console_keys"]
    assert len((folder / "console_keys").read_text().split()) == 2

"""A password is on the server before services read it, and an interrupted rotation is run again."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.cli.terminal import output_of, throughline
from tools.deployment import kafka_users, mongodb
from tools.deployment.rotation import Folder, Passwords, Secrets, rotate
from tools.files import NotAFile, read_json, write_json


class Refused(Exception):
    """The server refused."""


def refuse(_passwords: Mapping[str, str]) -> None:
    raise Refused


@pytest.fixture(params=["folder", "stack"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Passwords:
    if request.param == "stack":
        write_json(tmp_path / "secrets.json", {"passwords": {"meetings": "old", "admin": "other"}})
        return Secrets(tmp_path, "passwords")
    (tmp_path / "meetings").write_text("old\n")
    (tmp_path / "admin").write_text("other\n")
    return Folder(tmp_path)


def present(folder: Path) -> dict[str, str]:
    if (folder / "secrets.json").exists():
        passwords: dict[str, str] = read_json(folder / "secrets.json")["passwords"]
        return passwords
    return {user: (folder / user).read_text().strip() for user in ("meetings", "admin")}


def test_the_new_password_is_set_then_stored(stored: Passwords, tmp_path: Path) -> None:
    seen: list[tuple[dict[str, str], str]] = []
    rotate(stored, ["meetings"], lambda each: seen.append((dict(each), present(tmp_path)["meetings"])))
    ((proposed, while_set),) = seen
    assert while_set == "old"
    assert present(tmp_path) == {"meetings": proposed["meetings"], "admin": "other"}
    assert len(proposed["meetings"]) >= 32


def test_an_interrupted_rotation_proposes_the_same_password_again(stored: Passwords, tmp_path: Path) -> None:
    proposed = stored.propose(["meetings"])
    with pytest.raises(Refused):
        rotate(stored, ["meetings"], refuse)
    assert present(tmp_path)["meetings"] == "old"
    rotate(stored, ["meetings"], lambda each: None)
    assert present(tmp_path)["meetings"] == proposed["meetings"]
    rotate(stored, ["meetings"], lambda each: None)
    assert present(tmp_path)["meetings"] != proposed["meetings"]


def test_a_user_who_is_named_twice_gets_one_password(stored: Passwords, tmp_path: Path) -> None:
    server: dict[str, str] = {}
    rotate(stored, ["meetings", "meetings"], server.update)
    assert present(tmp_path)["meetings"] == server["meetings"]


@pytest.mark.parametrize("left", [b"", b"\n", b" x \n", b"x\ny\n", "\ufeffx".encode(), b"\xff"])
def test_what_a_loss_of_power_left_of_a_new_password_is_never_set(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "meetings").write_text("old\n")
    (tmp_path / "meetings.new").write_bytes(left)
    with pytest.raises(NotAFile, match=r"meetings\.new .*: remove it, and run this again"):
        rotate(Folder(tmp_path), ["meetings"], lambda each: pytest.fail(f"set {each}"))
    assert (tmp_path / "meetings").read_text() == "old\n"


def test_of_two_concurrent_rotations_the_file_has_the_password_that_was_set_last(
    stored: Passwords, tmp_path: Path
) -> None:
    server: dict[str, str] = {}
    other = threading.Thread(target=lambda: rotate(stored, ["meetings"], server.update))

    def set_slowly(passwords: Mapping[str, str]) -> None:
        other.start()
        other.join(0.5)
        server.update(passwords)

    rotate(stored, ["meetings"], set_slowly)
    other.join(10)
    assert present(tmp_path)["meetings"] == server["meetings"]
    assert not list(tmp_path.glob("*.new"))


@pytest.mark.parametrize(
    ("module", "command"),
    [
        (kafka_users, ("users", "ensure", "--kafka", "127.0.0.1:1", "--passwords")),
        (mongodb, ("mongodb", "ensure", "--member", "mongo:27017", "--passwords")),
    ],
    ids=["Kafka", "MongoDB"],
)
def test_a_job_that_sets_the_passwords_of_files_keeps_a_rotation_waiting(
    module: ModuleType, command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for user in ("admin", *kafka_users.users()):
        (tmp_path / user).write_text("old\n")
    server: dict[str, str] = {}
    other = threading.Thread(target=lambda: rotate(Folder(tmp_path), ["meetings"], server.update))

    def set_slowly(*arguments: Any) -> None:
        other.start()
        other.join(0.5)
        server.update(next(each for each in arguments if isinstance(each, dict)))

    monkeypatch.setattr(module, "ensure", set_slowly)
    done = throughline(None, *command, str(tmp_path))
    other.join(10)
    assert done.exit_code == 0, done.output
    assert present(tmp_path)["meetings"] == server["meetings"] != "old"


def test_a_full_disk_leaves_nothing_of_a_new_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "meetings").write_text("old\n")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(NotAFile, match="No space left on device"):
        rotate(Folder(tmp_path), ["meetings"], lambda each: pytest.fail(f"set {each}"))
    assert [path.name for path in tmp_path.iterdir()] == ["meetings"]


def test_a_new_file_has_owner_and_mode_of_the_present_one(tmp_path: Path) -> None:
    (tmp_path / "meetings").write_text("old\n")
    (tmp_path / "meetings").chmod(0o440)
    if os.geteuid() == 0:
        os.chown(tmp_path / "meetings", 10_001, 10_002)
    before = (tmp_path / "meetings").stat()
    rotate(Folder(tmp_path), ["meetings"], lambda each: None)
    after = (tmp_path / "meetings").stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert (tmp_path / "meetings").read_text() != "old\n"


def test_a_folder_without_the_present_password_is_another_folder(tmp_path: Path) -> None:
    with pytest.raises(NotAFile, match="has no password of meetings"):
        Folder(tmp_path).propose(["meetings"])
    assert not list(tmp_path.iterdir())


def test_what_is_named_wrongly_is_refused() -> None:
    for arguments, text in (
        (("rotate", "kafka", "ministries"), "declares no such user"),
        (("rotate", "mongodb", "nomination"), "did you mean 'nominations'?"),
        (("rotate", "kafka", "--kafka", "127.0.0.1:1"), "--passwords"),
        (("rotate", "mongodb", "--mongodb", "mongodb://127.0.0.1:1"), "--passwords"),
    ):
        done = throughline(None, *arguments)
        assert done.exit_code == 2, done.output
        assert text in output_of(done)


@pytest.mark.parametrize("above", ["kafka", "."])
def test_a_folder_above_the_one_with_the_passwords_gives_nobody_a_new_one(tmp_path: Path, above: str) -> None:
    (tmp_path / "kafka/passwords").mkdir(parents=True)
    (tmp_path / "kafka/passwords/meetings").write_text("present\n")
    folder = str(tmp_path / above)
    done = throughline(None, "users", "ensure", "--kafka", "127.0.0.1:1", "--passwords", folder)
    assert (done.exit_code, str(tmp_path / "kafka/passwords") in output_of(done)) == (2, True), done.output
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["meetings"]

"""`throughline deploy init`: what is missing is made, whole, with owner and mode; what is there stays."""

from __future__ import annotations

import contextlib
import errno
import os
import ssl
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from shared.events.services import SERVICES
from shared.tlog.keys import LogKeys, origin_of
from tests.cli.terminal import output_of, throughline
from tools.client.tokens import mint
from tools.deployment import certificates, secret_files
from tools.deployment.messages import CannotStart
from tools.deployment.secret_files import Deployment, ensure
from tools.deployment.secret_folder import SecretFile, SecretFolder
from tools.files import CHECKOUT

CONSOLE = "http://127.0.0.1:8080"
LOCAL = Deployment("local", (), CONSOLE)
IS_ROOT = os.geteuid() == 0
ONLY_ROOT = pytest.mark.skipif(
    not IS_ROOT, reason="only root may give files away: run as root, or see make deploy-test"
)
OUTSIDE_COMPOSE = {"tls/ca.key"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "secrets"


@pytest.fixture(params=[0o077, 0o022])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of each file."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_each_file_has_the_mode_of_its_reader_whatever_the_umask(folder: Path, umask: int) -> None:
    ensured = ensure(SecretFolder(folder, owners=IS_ROOT), LOCAL)
    for file, outcome, _ in ensured:
        actual = (folder / file.path).stat()
        assert outcome == "made"
        assert stat.S_IMODE(actual.st_mode) == file.mode, file.path
        if IS_ROOT:
            assert (actual.st_uid, actual.st_gid) == (file.owner, file.owner), file.path
    folders = [path for path in [folder, *folder.rglob("*")] if path.is_dir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o755}
    assert len(files(folder)) == len(ensured)


def test_only_public_files_are_readable_by_others(folder: Path) -> None:
    ensured = ensure(SecretFolder(folder, owners=False), LOCAL)
    public = {file.path for file, _, _ in ensured if file.mode & 0o044}
    assert public == {"log-keys/public.vkeys", "tls/ca.crt", "sign-in/jwks.json", "sign-in/sign_in_clients.json"}
    for path in public:
        assert b"PRIVATE" not in (folder / path).read_bytes()


def test_a_second_run_changes_nothing(folder: Path) -> None:
    ensure(SecretFolder(folder, owners=False), LOCAL)
    before = files(folder)
    again = ensure(SecretFolder(folder, owners=False), LOCAL)
    assert {ensured.outcome for ensured in again} == {"there"}
    assert files(folder) == before


def test_what_is_missing_is_made_and_the_rest_stays(folder: Path) -> None:
    ensure(SecretFolder(folder, owners=False), LOCAL)
    before = files(folder)
    (folder / "tls/kafka.pem").unlink()
    (folder / "actor_key").unlink()
    again = ensure(SecretFolder(folder, owners=False), LOCAL)
    assert {ensured.file.path for ensured in again if ensured.outcome == "made"} == {"tls/kafka.pem", "actor_key"}
    after = files(folder)
    changed = {path for path in before if after[path] != before[path]}
    assert changed == {"tls/kafka.pem", "actor_key"}


def test_a_wrong_mode_is_put_right(folder: Path) -> None:
    ensure(SecretFolder(folder, owners=False), LOCAL)
    (folder / "mongodb/key").chmod(0o644)
    again = ensure(SecretFolder(folder, owners=False), LOCAL)
    assert {ensured.file.path for ensured in again if ensured.outcome == "put right"} == {"mongodb/key"}
    assert stat.S_IMODE((folder / "mongodb/key").stat().st_mode) == 0o400


@ONLY_ROOT
def test_a_wrong_owner_is_put_right(folder: Path) -> None:
    ensure(SecretFolder(folder), LOCAL)
    os.chown(folder / "mongodb/key", 12345, 12345)
    again = ensure(SecretFolder(folder), LOCAL)
    assert {ensured.file.path for ensured in again if ensured.outcome == "put right"} == {"mongodb/key"}
    assert (folder / "mongodb/key").stat().st_uid == secret_files.MONGODB


def test_who_is_not_root_is_refused_before_anything_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(CannotStart, match=r"docker compose -f deploy/compose\.yaml run --rm init"):
        ensure(SecretFolder(folder), LOCAL)
    assert not folder.exists()


def test_a_file_that_cannot_be_made_leaves_nothing_half_written(folder: Path) -> None:
    def fail() -> str:
        raise CannotStart("no entropy")

    with pytest.raises(CannotStart, match="no entropy"):
        SecretFolder(folder, owners=False).ensure(SecretFile("kafka/jaas.conf", 0, fail))
    assert list((folder / "kafka").iterdir()) == []


def test_what_is_no_file_is_named(folder: Path) -> None:
    (folder / "actor_key").mkdir(parents=True)
    with pytest.raises(CannotStart, match="actor_key is no file: remove it"):
        ensure(SecretFolder(folder, owners=False), LOCAL)


def test_a_spoilt_certificate_is_named(folder: Path) -> None:
    ensure(SecretFolder(folder, owners=False), LOCAL)
    (folder / "tls/mongodb.pem").chmod(0o600)
    (folder / "tls/mongodb.pem").write_text("nothing")
    with pytest.raises(CannotStart, match=r"tls/mongodb\.pem is spoilt: .*: remove it, and run this again"):
        ensure(SecretFolder(folder, owners=False), LOCAL)


SPOILT = {
    "mongodb/key": "is empty",
    "mongodb/passwords/meetings": "is empty",
    "kafka/passwords/reader": "has blanks at an end",
    "actor_key": "has fewer than 32 characters",
    "console_keys": "holds no keys of the console",
    "log-keys/meetings.key": "holds no private key of a log",
    "log-keys/public.vkeys": "is no text in UTF-8",
    "tls/ca.key": "holds no private key",
    "sign-in/token_key.json": "holds no JSON object",
}
CONTENT = {"is empty": b"", "has blanks at an end": b"two\nlines\n", "is no text in UTF-8": b"\xff"}


@pytest.mark.parametrize("path", SPOILT)
def test_a_spoilt_secret_is_named_and_not_replaced(folder: Path, path: str) -> None:
    ensure(SecretFolder(folder, owners=False), LOCAL)
    content = CONTENT.get(SPOILT[path], b"short")
    (folder / path).chmod(0o600)
    (folder / path).write_bytes(content)
    done = throughline(None, "deploy", "init", str(folder), "--no-owners")
    assert done.exit_code == 1, done.output
    output = output_of(done)
    assert f"{path} {SPOILT[path]}" in output
    assert "estore it from the backup of the secrets" in output
    assert (folder / path).read_bytes() == content


def test_an_authority_without_its_own_key_signs_nothing(folder: Path) -> None:
    ensure(SecretFolder(folder, owners=False), LOCAL)
    (folder / "tls/ca.key").unlink()
    (folder / "tls/kafka.pem").unlink()
    with pytest.raises(CannotStart, match=r"tls/ca\.key is not the key of tls/ca\.crt, .* Restore it"):
        ensure(SecretFolder(folder, owners=False), LOCAL)
    assert not (folder / "tls/kafka.pem").exists()


def test_files_that_no_longer_belong_together_are_named(folder: Path) -> None:
    ensure(SecretFolder(folder, owners=False), LOCAL)
    for path in ("kafka/passwords/admin", "tls/ca.key", "tls/ca.crt", "tls/mongodb.pem"):
        (folder / path).unlink()
    ensured = ensure(SecretFolder(folder, owners=False), Deployment("local", ("db.example.org",), CONSOLE))
    remarks = {each.file.path: each.remark for each in ensured if each.remark}
    assert "another password of admin than kafka/passwords/admin: remove it" in remarks["kafka/jaas.conf"]
    assert "is not of the authority tls/ca.crt" in remarks["tls/kafka.pem"]
    assert remarks["tls/mongodb.pem"].startswith("ends on")
    (folder / "tls/kafka.pem").unlink()
    ensure(SecretFolder(folder, owners=False), LOCAL)
    ensured = ensure(SecretFolder(folder, owners=False), Deployment("local", ("db.example.org",), CONSOLE))
    remarks = {each.file.path: each.remark for each in ensured if each.remark}
    assert remarks["tls/kafka.pem"].startswith("is not for db.example.org: remove it, and run this again")


def test_the_public_keys_go_with_a_rotation_of_a_signing_key(folder: Path) -> None:
    ensure(SecretFolder(folder, owners=False), LOCAL)
    public = folder / "log-keys/public.vkeys"
    old, mode = public.read_text().splitlines(), public.stat().st_mode
    rotation = ("audit", "keygen", str(folder / "log-keys/meetings.key"), "--service", "meetings")
    new = throughline(None, *rotation, "--rotate").stdout.strip()
    assert throughline(None, *rotation, "--drop-retired").exit_code == 0
    assert (sorted(public.read_text().splitlines()), public.stat().st_mode) == (sorted([*old, new]), mode)
    ensured = ensure(SecretFolder(folder, owners=False), LOCAL)
    assert [each.remark for each in ensured if each.file.path == secret_files.PUBLIC_KEYS] == [""]


@pytest.mark.parametrize("between", [" ", "\r\n"])
def test_a_rotation_finds_public_keys_however_they_are_parted(between: str, folder: Path) -> None:
    ensure(SecretFolder(folder, owners=False), LOCAL)
    public = folder / "log-keys/public.vkeys"
    old = public.read_text().split()
    public.chmod(0o600)
    public.write_bytes(between.join(old).encode())
    rotation = ("audit", "keygen", str(folder / "log-keys/meetings.key"), "--service", "meetings", "--rotate")
    new = throughline(None, *rotation).stdout.strip()
    assert sorted(public.read_text().split()) == sorted([*old, new])


def test_a_server_may_be_of_the_older_of_two_authorities(folder: Path) -> None:
    ensure(SecretFolder(folder, owners=False), LOCAL)
    file, key = folder / "tls/ca.crt", certificates.new_key()
    file.chmod(0o600)
    file.write_text(certificates.authority(key, "local") + file.read_text())
    remarks = {each.file.path: each.remark for each in ensure(SecretFolder(folder, owners=False), LOCAL)}
    assert remarks["tls/kafka.pem"].startswith("ends on")


def test_one_that_was_killed_is_completed_and_nothing_is_left_of_it(folder: Path) -> None:
    (folder / "mongodb").mkdir(parents=True)
    for left in (f".key.{os.getpid()}", ".key.1"):
        (folder / "mongodb" / left).write_text("half")
    ensure(SecretFolder(folder, owners=False), LOCAL)
    assert sorted(path.name for path in (folder / "mongodb").iterdir()) == ["key", "passwords"]


def test_of_two_concurrent_runs_one_waits_for_the_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    barrier, make = threading.Barrier(2), certificates.new_key

    def slowly() -> str:
        with contextlib.suppress(threading.BrokenBarrierError):
            barrier.wait(1)
        return make()

    monkeypatch.setattr(certificates, "new_key", slowly)
    two = [threading.Thread(target=ensure, args=(SecretFolder(folder, owners=False), LOCAL)) for _ in range(2)]
    for each in two:
        each.start()
    for each in two:
        each.join(60)
    monkeypatch.undo()
    ensured = ensure(SecretFolder(folder, owners=False), LOCAL)
    assert all(not remark or remark.startswith("ends on") for _, _, remark in ensured)
    assert certificates.belong_together((folder / "tls/ca.key").read_text(), (folder / "tls/ca.crt").read_text())


@pytest.mark.parametrize(("number", "says"), [(errno.ENOSPC, "No space left"), (errno.EROFS, "Read-only file system")])
def test_a_full_or_read_only_disk_is_not_called_a_question_of_rights(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int, says: str
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(CannotStart, match=f"{says}.*: mend that, and run this again") as refusal:
        ensure(SecretFolder(folder, owners=False), LOCAL)
    assert "root" not in str(refusal.value).partition(":")[2]
    assert files(folder) == {}


def test_keys_of_another_deployment_are_refused(folder: Path) -> None:
    ensure(SecretFolder(folder, owners=False), LOCAL)
    with pytest.raises(CannotStart, match=r"not of the log throughline\.north/.*--deployment"):
        ensure(SecretFolder(folder, owners=False), Deployment("north", (), CONSOLE))


def test_a_certificate_that_ends_soon_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.deployment.certificates.SERVER_DAYS", 20)
    ensured = ensure(SecretFolder(folder, owners=False), LOCAL)
    remarks = {each.file.path: each.remark for each in ensured if each.remark}
    assert remarks.keys() == {"tls/ca.crt", "tls/kafka.pem", "tls/mongodb.pem"}
    assert "run throughline rotate certificates" in remarks["tls/kafka.pem"]
    assert "run" not in remarks["tls/ca.crt"]


@pytest.mark.parametrize(("server", "name"), [("kafka", "kafka"), ("mongodb", "mongo"), ("mongodb", "db.example.org")])
def test_a_client_that_trusts_the_authority_reaches_the_server_by_its_name(
    folder: Path, server: str, name: str
) -> None:
    ensure(SecretFolder(folder, owners=False), Deployment("local", ("db.example.org",), None))
    shake_hands(folder, server, name)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(folder, server, "elsewhere")


def shake_hands(folder: Path, server: str, name: str) -> None:
    """Let a client verify a server, in memory."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / f"tls/{server}.pem")
    trusting = ssl.create_default_context(cafile=str(folder / "tls/ca.crt"))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(to_client, to_server, server_hostname=name)
    accepted = serving.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (client, accepted):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert client.version() == "TLSv1.3"


def test_the_keys_fit_their_readers(folder: Path) -> None:
    ensure(SecretFolder(folder, owners=False), LOCAL)
    pinned = (folder / "log-keys/public.vkeys").read_text().split()
    for service in SERVICES:
        keys = LogKeys.parse((folder / f"log-keys/{service}.key").read_text(), origin_of("local", service))
        assert keys.signer.verifier.vkey in pinned
    administrator = (folder / "kafka/passwords/admin").read_text().strip()
    assert (folder / "kafka/jaas.conf").read_text().count(f'user_admin="{administrator}"') == 2
    assert mint(folder / "sign-in", role="secretariat", subject="synthetic").count(".") == 2


def test_compose_mounts_what_is_made_and_nothing_else(folder: Path) -> None:
    ensured = {file.path for file, _, _ in ensure(SecretFolder(folder, owners=False), LOCAL)}
    mounted = set()
    for name in ("compose.yaml", "compose.tls.yaml"):
        content = yaml.safe_load((CHECKOUT / "deploy" / name).read_text())
        mounted |= {secret["file"].partition("}/")[2] for secret in content["secrets"].values()}
    assert ensured - mounted == OUTSIDE_COMPOSE
    assert mounted - ensured == set()


def test_the_command_says_what_it_did(folder: Path) -> None:
    first = throughline(None, "deploy", "init", str(folder), "--no-owners")
    assert first.exit_code == 0, first.output
    assert "made       kafka/jaas.conf (user 1000, mode 0400)" in first.output
    assert "open http" not in first.output, "only where somebody says what is to be opened"
    second = throughline(None, "deploy", "init", str(folder), "--no-owners")
    assert second.output.splitlines()[-1].endswith(f"{len(files(folder))} there.")
    for secret in (folder / "kafka/passwords").iterdir():
        assert secret.read_text().strip() not in first.output


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            ["--console", "https://throughline.example.org"],
            "--console: https://throughline.example.org is not on loopb",
        ),
        (["--deployment", "a b"], "--deployment a b: is no name"),
        (["--name", "a/b"], "--name a/b: is no host name"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(folder: Path, options: list[str], says: str) -> None:
    answer = throughline(None, "deploy", "init", str(folder), "--no-owners", *options)
    assert answer.exit_code == 2
    assert says in answer.output
    assert not folder.exists()

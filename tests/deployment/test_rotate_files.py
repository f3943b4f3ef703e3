"""`throughline rotate` in the folder of a deployment: at each step clients and servers know each other."""

from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path

import pytest
from cryptography.fernet import InvalidToken, MultiFernet
from pydantic import SecretStr

from shared.events.services import SERVICES
from tests.cli.terminal import output_of, throughline
from tests.deployment.test_deploy_init import shake_hands
from tools.console.settings import ConsoleSettings
from tools.deployment import renewal
from tools.deployment.secret_files import Deployment, ensure
from tools.deployment.secret_folder import SecretFolder

NAMES = ("kafka", "kafka-2", "localhost", "127.0.0.1", "db.example.org")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    secrets = tmp_path / "secrets"
    ensure(SecretFolder(secrets, owners=os.geteuid() == 0), Deployment("north", ("db.example.org",), None))
    return secrets


def rotate(folder: Path, what: str, *options: str) -> str:
    done = throughline(None, "rotate", what, str(folder), *options)
    assert done.exit_code == 0, done.output
    return output_of(done)


def refused(folder: Path, what: str, *options: str) -> str:
    done = throughline(None, "rotate", what, str(folder), *options)
    assert done.exit_code == 1, done.output
    return output_of(done)


def contents(folder: Path, *paths: str) -> list[str]:
    return [(folder / path).read_text() for path in paths]


def trusted(folder: Path, authority: str) -> bool:
    """Tell whether a client that still has this authority trusts the servers."""
    now = (folder / "tls/ca.crt").read_text()
    (folder / "tls/ca.crt").chmod(0o600)
    try:
        (folder / "tls/ca.crt").write_text(authority)
        shake_hands(folder, "kafka", "kafka")
        shake_hands(folder, "mongodb", "mongo")
    except ssl.SSLCertVerificationError:
        return False
    finally:
        (folder / "tls/ca.crt").write_text(now)
        (folder / "tls/ca.crt").chmod(0o444)
    return True


def test_certificates_are_replaced_for_the_same_names_by_the_same_authority(folder: Path) -> None:
    before = contents(folder, "tls/ca.crt", "tls/kafka.pem", "tls/mongodb.pem")
    assert "tls/kafka.pem, tls/mongodb.pem" in rotate(folder, "certificates")
    after = contents(folder, "tls/ca.crt", "tls/kafka.pem", "tls/mongodb.pem")
    assert [now == then for now, then in zip(after, before, strict=True)] == [True, False, False]
    for name in NAMES:
        shake_hands(folder, "kafka", name)
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shake_hands(folder, "mongodb", "kafka")


def test_owner_and_mode_of_a_replaced_file_stay(folder: Path) -> None:
    def rights() -> list[tuple[int, int, int]]:
        each_file = [path.stat() for path in sorted(folder.rglob("*")) if path.is_file()]
        return [(each.st_uid, each.st_gid, stat.S_IMODE(each.st_mode)) for each in each_file]

    before = rights()
    rotate(folder, "authority")
    rotate(folder, "certificates")
    rotate(folder, "authority", "--drop-retired")
    rotate(folder, "kafka-administrator")
    for what in ("mongodb-key", "console-keys"):
        rotate(folder, what)
        rotate(folder, what, "--drop-retired")
    assert rights() == before


def test_the_authority_is_replaced_while_clients_trust_the_servers(folder: Path) -> None:
    old = (folder / "tls/ca.crt").read_text()
    rotate(folder, "authority")
    both = (folder / "tls/ca.crt").read_text()
    assert trusted(folder, both), "clients that were restarted, servers as before"
    assert trusted(folder, old), "clients that were not restarted yet"
    assert "rotate certificates first" in refused(folder, "authority", "--drop-retired")
    rotate(folder, "certificates")
    assert trusted(folder, both)
    assert not trusted(folder, old)
    assert "is not finished" in refused(folder, "authority")
    rotate(folder, "authority", "--drop-retired")
    new = (folder / "tls/ca.crt").read_text()
    assert trusted(folder, new)
    assert old not in new
    assert not (folder / "tls/ca.key.new").exists()
    rotate(folder, "authority")
    assert trusted(folder, (folder / "tls/ca.crt").read_text())


@pytest.mark.parametrize("step", ["add", "replace", "replace again"])
def test_a_rotation_of_the_authority_that_was_interrupted_is_run_again(
    folder: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = (folder / "tls/ca.crt").read_text()
    write, writes = SecretFolder._write, []

    def breaking_off(self: SecretFolder, path: Path, content: str, mode: int, owner: int | None) -> None:
        write(self, path, content, mode, owner)
        writes.append(path)
        if len(writes) == ("add", "replace", "replace again").index(step) + 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(SecretFolder, "_write", breaking_off)
    with pytest.raises(KeyboardInterrupt):
        renewal.renew_authority(SecretFolder(folder))
    assert trusted(folder, (folder / "tls/ca.crt").read_text())
    rotate(folder, "authority")
    rotate(folder, "certificates")
    rotate(folder, "authority", "--drop-retired")
    assert trusted(folder, (folder / "tls/ca.crt").read_text())
    assert not trusted(folder, old)


def test_the_administrator_of_kafka_gets_another_password_in_both_files(folder: Path) -> None:
    old, logins = contents(folder, "kafka/passwords/admin", "kafka/jaas.conf")
    assert "Restart all brokers together" in rotate(folder, "kafka-administrator")
    new, now = contents(folder, "kafka/passwords/admin", "kafka/jaas.conf")
    assert now.count(f'user_admin="{new.strip()}"') == 2
    assert old.strip() not in now
    assert {line for line in logins.splitlines() if "username" in line}.isdisjoint(now.splitlines())


def _cipher_of(folder: Path) -> MultiFernet:
    """Return the cipher of a console that reads its keys from the folder."""
    return ConsoleSettings(
        address="http://127.0.0.1:8080",
        services=dict.fromkeys(SERVICES, "http://synthetic"),
        issuer="https://issuer.example.org",
        keys=SecretStr((folder / "console_keys").read_text()),
    ).cipher()


def test_a_key_of_the_console_opens_cookies_until_it_is_dropped(folder: Path) -> None:
    cookie = _cipher_of(folder).encrypt(b"synthetic")
    rotate(folder, "console-keys")
    assert _cipher_of(folder).decrypt(cookie) == b"synthetic"
    assert "is not finished" in refused(folder, "console-keys")
    newer = _cipher_of(folder).encrypt(b"synthetic")
    rotate(folder, "console-keys", "--drop-retired")
    assert _cipher_of(folder).decrypt(newer) == b"synthetic"
    with pytest.raises(InvalidToken):
        _cipher_of(folder).decrypt(cookie)


def test_a_folder_without_the_files_is_another_folder(tmp_path: Path) -> None:
    for what in ("certificates", "authority", "kafka-administrator", "mongodb-key", "console-keys"):
        assert str(tmp_path) in refused(tmp_path, what)
    assert not list(tmp_path.iterdir())

"""The commands of `throughline audit`: output and exit codes."""

from __future__ import annotations

import os
from pathlib import Path

import orjson
import pytest

from shared.events.catalogue import SERVICES
from shared.runtime.settings import CannotStart, Settings, read
from shared.tlog.keys import LogKeys
from shared.tlog.notes import NotAKey, Signer, Verifier
from tests.audit.synthetic import SyntheticLogs, exported, many, simulated
from tests.cli.terminal import output_of, throughline

WHOLE = simulated(1_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(
        SyntheticLogs(WHOLE.events, WHOLE.signers).sign_all(0.5), tmp_path_factory.mktemp("a") / "export"
    ).folder


def settings(**overrides: object) -> Settings:
    defaults: dict[str, object] = {
        "kafka": "synthetic:1",
        "mongodb": "mongodb://synthetic.invalid/",
        "database": "synthetic",
        "jwks": "",
        "deployment": "synthetic",
    }
    return read(Settings, **defaults | overrides)


@pytest.mark.parametrize("mode", [0o400, 0o440])
def test_a_rotated_key_is_for_the_reader_of_the_one_before(tmp_path: Path, mode: int) -> None:
    arguments = (
        "audit",
        "keygen",
        str(tmp_path / "meetings.key"),
        "--service",
        "meetings",
        "--deployment",
        "synthetic",
    )
    assert throughline(None, *arguments).exit_code == 0
    if os.geteuid() == 0:
        os.chown(tmp_path / "meetings.key", 10_001, 10_002)
    (tmp_path / "meetings.key").chmod(mode)
    before = (tmp_path / "meetings.key").stat()
    for step in ("--rotate", "--drop-retired"):
        assert throughline(None, *arguments, step).exit_code == 0
        after = (tmp_path / "meetings.key").stat()
        assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert [path.name for path in tmp_path.iterdir()] == ["meetings.key"]


def test_a_key_is_generated_once_kept_private_and_rotated(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "meetings.key"
    arguments = ("audit", "keygen", str(file), "--service", "meetings", "--deployment", "synthetic")
    first = throughline(None, *arguments)
    assert first.exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    key = Verifier.parse(first.stdout)
    assert key.name == "throughline.synthetic/meetings"
    assert LogKeys.parse(file.read_text(), key.name).verifiers == (key,)
    assert throughline(None, *arguments).exit_code == 2
    second = Verifier.parse(throughline(None, *arguments, "--rotate").stdout)
    assert LogKeys.parse(file.read_text(), key.name).verifiers == (second, key)
    assert throughline(None, *arguments, "--rotate").exit_code == 2
    assert LogKeys.parse(file.read_text(), key.name).retiring is not None
    assert throughline(None, *arguments, "--drop-retired").exit_code == 0
    assert file.read_text().count("PRIVATE+KEY") == 1
    assert LogKeys.parse(file.read_text(), key.name).verifiers == (second, key)
    assert settings(checkpoint_keys_file=file).log_keys("meetings").verifiers == (second, key)
    assert settings(checkpoint_keys=file.read_text()).log_keys("meetings").signer.verifier == second


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--service", "archives"),
        ("--service", "meetings", "--witness", "synthetic.example/office"),
        ("--service", "meetings", "--rotate"),
        ("--witness", "a name with blanks"),
        ("--witness", "synthetic.example/office", "--rotate"),
    ],
)
def test_invalid_arguments_generate_no_key(arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert throughline(None, "audit", "keygen", str(tmp_path / "key"), *arguments).exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_service_without_a_usable_key_does_not_start_and_names_the_variable(tmp_path: Path) -> None:
    secret = Signer.generate("throughline.synthetic/nominations").skey
    (tmp_path / "key").write_text(secret)
    for overrides, variable in (
        ({}, "THROUGHLINE_CHECKPOINT_KEYS:"),
        ({"checkpoint_keys_file": tmp_path / "absent"}, "THROUGHLINE_CHECKPOINT_KEYS_FILE"),
        ({"checkpoint_keys_file": tmp_path / "key"}, "THROUGHLINE_CHECKPOINT_KEYS_FILE"),
        ({"checkpoint_keys": secret[:-3]}, "THROUGHLINE_CHECKPOINT_KEYS:"),
        ({"checkpoint_keys": " "}, "THROUGHLINE_CHECKPOINT_KEYS:"),
    ):
        with pytest.raises(CannotStart, match=variable) as refused:
            settings(**overrides).log_keys("meetings")
        assert secret.split("+", 4)[4][:-3] not in str(refused.value)
    assert secret not in repr(settings(checkpoint_keys=secret))


def test_a_key_file_holds_keys_of_one_log_only(tmp_path: Path) -> None:
    own, other = (Signer.generate(f"throughline.synthetic/{name}") for name in ("meetings", "nominations"))
    with pytest.raises(NotAKey, match="not of the log"):
        LogKeys.parse(f"{own.skey}\n{other.verifier.vkey}\n", own.name)
    with pytest.raises(NotAKey, match="empty"):
        LogKeys.parse("\n", own.name)


def test_verify_reports_the_events_and_the_keys_that_only_the_bundle_vouches_for(folder: Path) -> None:
    done = throughline(None, "audit", "verify", str(folder))
    assert done.exit_code == 0
    assert f"verified: {sum(map(len, WHOLE.events.values()))} events in 4 logs" in output_of(done)
    assert all(WHOLE.signers[service].verifier.vkey in output_of(done) for service in SERVICES)
    given = [argument for each in WHOLE.signers.values() for argument in ("--key", each.verifier.vkey)]
    assert "only the bundle vouches for" not in output_of(throughline(None, "audit", "verify", str(folder), *given))


def test_verify_with_one_key_says_that_each_log_needs_one(folder: Path) -> None:
    done = throughline(None, "audit", "verify", str(folder), "--key", WHOLE.signers["meetings"].verifier.vkey)
    assert done.exit_code == 1
    assert "no key of throughline.synthetic/nominations is known; give --key once for each log" in output_of(done)
    assert "no key of throughline.synthetic/meetings" not in output_of(done)


def test_verify_names_the_first_wrong_place_and_exits_with_1(folder: Path, tmp_path: Path) -> None:
    bundle = exported(SyntheticLogs(WHOLE.events, WHOLE.signers).sign_all(), tmp_path / "export")
    path = next((bundle.folder / "nominations/tile/entries").glob("000*"))
    path = next(path.iterdir()) if path.is_dir() else path
    path.write_bytes(path.read_bytes().replace(b'"actor":"synthetic', b'"actor":"sinthetic', 1))
    first = orjson.loads(WHOLE.events["nominations"][0])
    done = throughline(None, "audit", "verify", str(bundle.folder))
    assert done.exit_code == 1
    assert f"nominations, position 0, {first['subject']} version 1" in output_of(done)
    report = orjson.loads(throughline(None, "audit", "verify", str(bundle.folder), "--format", "json").stdout)
    assert not report["verified"]
    assert report["findings"][0] | {"what": ""} == {
        "service": "nominations",
        "kind": "leaf",
        "position": 0,
        "stream": first["subject"],
        "version": 1,
        "what": "",
    }


@pytest.mark.parametrize("arguments", [("--key", "nonsense"), ("--witness", WHOLE.signers["meetings"].verifier.vkey)])
def test_an_invalid_key_exits_with_2(arguments: tuple[str, str], folder: Path) -> None:
    assert throughline(None, "audit", "verify", str(folder), *arguments).exit_code == 2


def test_a_folder_that_is_no_bundle_exits_with_2(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        done = throughline(None, "audit", "verify", str(folder))
        assert done.exit_code == 2
        assert str(folder) in output_of(done)


@pytest.mark.slow
def test_a_witness_cosigns_and_then_refuses_a_forgery(tmp_path: Path) -> None:
    key, memory = str(tmp_path / "witness.key"), str(tmp_path / "witness.json")
    vkey = throughline(None, "audit", "keygen", key, "--witness", "synthetic.example/office").stdout.strip()
    true = exported(SyntheticLogs(many(600).events, WHOLE.signers).sign_all(), tmp_path / "true").folder
    arguments = ("--with", key, "--memory", memory)
    done = throughline(None, "audit", "witness", str(true), *arguments)
    assert done.exit_code == 0, done.output
    assert "seen for the first time: cosigned" in output_of(done)
    shown = throughline(None, "audit", "verify", str(true), "--witness", vkey)
    assert shown.exit_code == 0
    assert "the witness synthetic.example/office vouches for its first" in output_of(shown)
    forged = exported(SyntheticLogs(many(600, streams=50).events, WHOLE.signers).sign_all(), tmp_path / "forged").folder
    refused = throughline(None, "audit", "witness", str(forged), *arguments)
    assert refused.exit_code == 1
    assert "Not cosigned." in output_of(refused)
    assert throughline(None, "audit", "witness", str(true), "--with", memory, "--memory", memory).exit_code == 2

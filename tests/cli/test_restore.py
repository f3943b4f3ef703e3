"""`throughline restore` says what is wrong with what it was given, before it touches any server."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from shutil import copytree
from tempfile import mkdtemp

import pytest

from shared.events.services import SERVICES
from shared.tlog.keys import LogKeys
from tests.audit.synthetic import SyntheticLogs, exported, many
from tests.cli.terminal import output_of, throughline


@cache
def lost() -> tuple[SyntheticLogs, Path]:
    logs = many(40, streams=4).sign_all()
    return logs, exported(logs, Path(mkdtemp(prefix="throughline-restore-"))).folder


@pytest.fixture
def old_keys(tmp_path: Path) -> Path:
    folder = tmp_path / "old"
    folder.mkdir()
    for service in SERVICES:
        (folder / f"{service}.key").write_text(LogKeys(lost()[0].signers[service]).text())
    return folder


def refused(*arguments: str) -> tuple[int, str]:
    done = throughline(None, "restore", *arguments)
    return done.exit_code, output_of(done)


def test_the_name_of_the_lost_deployment_is_refused(old_keys: Path):
    code, text = refused(str(lost()[1]), "--deployment", "synthetic", "--old-keys", str(old_keys))
    assert code == 2
    assert "Give another, such as synthetic-2" in text


def test_without_the_old_keys_it_asks_for_them_or_for_the_word_that_they_are_lost(tmp_path: Path):
    code, text = refused(str(lost()[1]), "--deployment", "synthetic-2", "--old-keys", str(tmp_path / "none"))
    assert code == 2
    assert "--old-keys-lost" in text
    code, text = refused(str(lost()[1]), "--deployment", "synthetic-2", "--old-keys-lost")
    assert code == 2
    assert "--key" in text


def test_a_key_of_another_log_is_refused(old_keys: Path):
    (old_keys / "meetings.key").write_text((old_keys / "nominations.key").read_text())
    code, text = refused(str(lost()[1]), "--deployment", "synthetic-2", "--old-keys", str(old_keys))
    assert code == 2
    assert "not of the log throughline.synthetic/meetings" in text
    assert "PRIVATE" not in text


def test_an_export_that_does_not_verify_restores_nothing(tmp_path: Path, old_keys: Path):
    folder = copytree(lost()[1], tmp_path / "export")
    entries = next((folder / "meetings" / "tile" / "entries").rglob("40"))
    entries.write_bytes(entries.read_bytes().replace(b"Synthetic outcome", b"Synthetic forgery"))
    new_keys = tmp_path / "new"
    code, text = refused(
        str(folder), "--deployment", "synthetic-2", "--old-keys", str(old_keys), "--new-keys", str(new_keys)
    )
    assert code == 1
    assert "Nothing was restored" in text
    assert not new_keys.exists()


def test_an_export_that_lacks_a_service_is_refused(tmp_path: Path, old_keys: Path):
    folder = tmp_path / "export"
    copytree(lost()[1] / "meetings", folder / "meetings")
    code, text = refused(str(folder), "--deployment", "synthetic-2", "--old-keys", str(old_keys))
    assert code == 2
    assert "lacks nominations, recommendations, notifications" in text


def test_a_good_export_needs_to_know_where_the_servers_are(tmp_path: Path, old_keys: Path):
    code, text = refused(
        str(lost()[1]), "--deployment", "synthetic-2", "--old-keys", str(old_keys), "--new-keys", str(tmp_path / "new")
    )
    assert code == 3
    assert "Nothing says where Kafka is" in text

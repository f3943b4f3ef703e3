"""How long a command waits for a service: as long as it was told to, where somebody said that there is one."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from shared.events.services import SERVICES
from tests.cli.terminal import throughline
from tests.patience import AT_MOST_SECONDS
from tests.record.synthetic import a_record, written
from tools.client import tokens
from tools.client.connection import Connection
from tools.client.stack_home import StackHome
from tools.files import write_json

pytestmark = pytest.mark.slow


def a_stopped_stack(home: Path, owner: dict[str, Any] | None) -> Path:
    """Make the files of a stack at whose ports nothing listens."""
    write_json(home / "stack.json", {"services": list(SERVICES), "ports": dict.fromkeys(SERVICES, 9), "owner": owner})
    tokens.make_key(home)
    return home


@pytest.mark.parametrize(
    ("pid", "expected"),
    [(None, False), (os.getpid(), True), (2**22 - 1, False)],
    ids=["nobody", "a process that runs", "one that does not"],
)
def test_a_service_is_expected_where_its_stack_runs_or_its_address_is_given(
    tmp_path: Path, pid: int | None, expected: bool, monkeypatch: pytest.MonkeyPatch
):
    a_stopped_stack(tmp_path, None if pid is None else {"pid": pid, "begun": "x"})
    assert StackHome(tmp_path).runs() is expected
    assert Connection(tmp_path).is_expected("meetings") is expected
    monkeypatch.setenv("THROUGHLINE_URL_MEETINGS", "http://127.0.0.1:9")
    assert Connection(tmp_path).is_expected("meetings")


def test_an_import_waits_a_moment_for_a_stack_that_does_not_run(tmp_path: Path):
    home = a_stopped_stack(tmp_path / "home", None)
    began = time.monotonic()
    file = str(written(tmp_path, a_record()))
    done = throughline(None, "import", "record", file, "--patience", "600", "--home", str(home))
    assert done.exit_code == 3, done.output
    assert "stack status" in done.output
    assert time.monotonic() - began < AT_MOST_SECONDS


def test_an_import_looks_for_every_address_before_it_sends_a_row(tmp_path: Path):
    one = {"THROUGHLINE_URL_RECOMMENDATIONS": "http://127.0.0.1:9", "THROUGHLINE_TOKEN": "x"}
    done = throughline(None, "import", "record", str(written(tmp_path, a_record())), "--patience", "600", **one)
    assert done.exit_code == 3
    assert "Nothing says where the service meetings is" in done.output
    assert "Stopped" not in done.output

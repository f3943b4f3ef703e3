"""A record is loaded once, whole or not at all; run again it changes nothing; a correction needs its reason."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.cli.terminal import output_of, throughline
from tests.record.synthetic import a_record, written
from tools.client.connection import Connection
from tools.client.services import Services
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
NUMBERS = count(900)
REASON = "Read again in the synthetic source"


def a_new_record() -> dict[str, Any]:
    return a_record(f"k{uuid4().hex[:8]}", next(NUMBERS))


def events_of(stack: Stack, service: str, stream: str) -> list[str]:
    with Services(Connection(stack.home, quiet=True), "auditor") as services:
        return [type(event.data).__name__ for event in services.stream(service, stream)]


def recommendation_of(record: dict[str, Any]) -> str:
    return f"recommendation/{record['recommendations'][0]['reference']}"


def rows(stack: Stack, file: Path, *options: str) -> tuple[int, dict[str, str]]:
    """Load a file and return the exit code, and what became of each row."""
    done = throughline(stack, "import", "record", str(file), "--format", "json", *options)
    content = json.loads(done.stdout)
    return done.exit_code, {row["path"]: row["standing"] for row in content["rows"]}


def test_a_record_is_loaded_once_and_its_trace_is_there_when_the_command_ends(stack: Stack, tmp_path: Path):
    record = a_new_record()
    file = written(tmp_path, record)
    code, first = rows(stack, file)
    assert (code, set(first.values()), len(first)) == (0, {"loaded"}, 20)
    reference = record["recommendations"][0]["reference"]
    trace = json.loads(throughline(stack, "trace", reference, "--format", "json").stdout)["trace"]
    assert (trace["coverage"], len(trace["follow_up"])) == ("deep", 2)
    assert rows(stack, file) == (0, dict.fromkeys(first, "unchanged"))
    assert len(events_of(stack, "recommendations", f"recommendation/{reference}")) == 11


def test_a_dry_run_prints_the_commands_and_sends_nothing(stack: Stack, tmp_path: Path):
    record = a_new_record()
    done = throughline(stack, "import", "record", str(written(tmp_path, record)), "--dry-run")
    assert done.exit_code == 0
    assert "recommendations[0].follow_up[1]: would be sent" in done.stdout
    assert events_of(stack, "recommendations", recommendation_of(record)) == []
    assert events_of(stack, "meetings", f"meeting/{record['meetings'][0]['id']}") == []


def test_a_file_with_errors_names_them_all_and_sends_nothing(stack: Stack, tmp_path: Path):
    record = a_new_record()
    record["recommendations"][0]["mandates"][1]["provision"] = "nowhere/in-the-file"
    record["initiatives"][0]["supported_by"] = "USX"
    record["meetings"][0]["starts_at"] = "2031-13"
    done = throughline(stack, "import", "record", str(written(tmp_path, record)))
    assert done.exit_code == 2
    for row in (
        "recommendations[0].mandates[1].provision: UnknownProvision",
        "initiatives[0].supported_by: NotAMember",
        "meetings[0].starts_at: NotADate",
        "3 errors; nothing was sent",
    ):
        assert row in output_of(done)
    assert events_of(stack, "recommendations", f"instrument/{record['instruments'][0]['id']}") == []


def test_broken_yaml_is_named_by_line_before_any_request(tmp_path: Path):
    done = throughline(None, "import", "record", str(written(tmp_path, "a: 1\nb: [\n", "r.yaml")))
    assert done.exit_code == 2
    assert "r.yaml (line 3): BrokenYaml" in output_of(done)


def test_another_fact_is_reported_and_left_unless_a_correction_gives_its_reason(stack: Stack, tmp_path: Path):
    record = a_new_record()
    rows(stack, written(tmp_path, record))
    stream = recommendation_of(record)
    changed = json.loads(json.dumps(record))
    changed["recommendations"][0]["disposition"]["outcome"] = "endorsed"
    file = written(tmp_path, changed, "record2.json")

    left = throughline(stack, "import", "record", str(file))
    assert left.exit_code == 1
    assert "recommendations[0].disposition: differs outcome: recorded 'noted', in file 'endorsed'" in output_of(left)
    assert "RecordCorrected" not in events_of(stack, "recommendations", stream)

    code, outcomes = rows(stack, file, "--correct", REASON)
    assert (code, outcomes["recommendations[0].disposition"]) == (0, "corrected")
    assert rows(stack, file)[1]["recommendations[0].disposition"] == "unchanged"
    reference = stream.partition("/")[2]
    trace = json.loads(throughline(stack, "trace", reference, "--format", "json").stdout)["trace"]
    assert trace["dispositions"][0]["outcome"] == "endorsed"


def test_a_correction_may_be_reverted_and_repeated(stack: Stack, tmp_path: Path):
    record = a_new_record()
    rows(stack, written(tmp_path, record))
    for title in ("Second title", "A meeting", "Second title"):
        record["meetings"][0]["title"] = title
        code, outcomes = rows(stack, written(tmp_path, record), "--correct", REASON)
        assert (code, outcomes["meetings[0]"]) == (0, "corrected")
        assert rows(stack, written(tmp_path, record))[1]["meetings[0]"] == "unchanged"
    stream = f"meeting/{record['meetings'][0]['id']}"
    assert events_of(stack, "meetings", stream).count("RecordCorrected") == 3


def test_an_adopted_title_is_not_corrected_by_a_file(stack: Stack, tmp_path: Path):
    record = a_new_record()
    rows(stack, written(tmp_path, record))
    record["recommendations"][0]["title"] = "Another title"
    done = throughline(stack, "import", "record", str(written(tmp_path, record)), "--correct", REASON)
    assert done.exit_code == 1
    assert "recommendations[0]: refused" in output_of(done)
    assert "AdoptedTextIsFixed" in output_of(done)
    assert "RecordCorrected" not in events_of(stack, "recommendations", recommendation_of(record))


def test_a_dry_run_of_corrections_corrects_nothing(stack: Stack, tmp_path: Path):
    record = a_new_record()
    rows(stack, written(tmp_path, record))
    record["meetings"][0]["title"] = "Another title"
    done = throughline(stack, "import", "record", str(written(tmp_path, record)), "--dry-run", "--correct", REASON)
    assert "meetings[0]: would be corrected" in done.stdout
    assert events_of(stack, "meetings", f"meeting/{record['meetings'][0]['id']}") == ["MeetingRecorded"]


def test_a_load_that_was_interrupted_is_resumed_by_running_it_again(stack: Stack, tmp_path: Path):
    file = written(tmp_path, a_new_record())
    stack.stop_one("meetings")
    try:
        done = throughline(stack, "import", "record", str(file), "--patience", "1")
        assert done.exit_code == 3
        assert "run it again to resume" in output_of(done)
    finally:
        stack.start_one("meetings")
    code, outcomes = rows(stack, file)
    assert code == 0
    assert [outcomes["instruments[0]"], outcomes["meetings[0]"]] == ["unchanged", "loaded"]


def test_a_command_that_lacks_a_foreign_fact_is_retried_for_a_stated_time_then_reported(stack: Stack, tmp_path: Path):
    file = written(tmp_path, a_new_record())
    stack.kill("kafka", signal.SIGSTOP)
    try:
        begun = time.monotonic()
        done = throughline(stack, "import", "record", str(file), "--patience", "2")
        assert time.monotonic() - begun >= 2
    finally:
        stack.kill("kafka", signal.SIGCONT)
    assert done.exit_code == 1
    assert "recommendations[0].meetings[0]: refused NotHeardYet" in output_of(done)
    assert "(for 2 s)" in output_of(done)
    assert "recommendations[0].adopted: held back" in output_of(done)
    assert "The traces do not show all of it yet" in output_of(done)
    code, outcomes = rows(stack, file)
    assert (code, outcomes["recommendations[0].mandates[0]"]) == (0, "unchanged")
    assert outcomes["recommendations[0].meetings[0]"] == "loaded"


def test_two_concurrent_loads_of_a_record_load_each_row_once(stack: Stack, tmp_path: Path):
    record = a_new_record()
    file = written(tmp_path, record)
    command = ("import", "record", str(file), "--patience", "60")
    with ThreadPoolExecutor(2) as both:
        done = [future.result() for future in [both.submit(_alone, stack, command) for _ in range(2)]]
    assert done == [0, 0]
    assert len(events_of(stack, "recommendations", recommendation_of(record))) == 11
    assert events_of(stack, "meetings", f"meeting/{record['meetings'][0]['id']}") == ["MeetingRecorded"]


def _alone(stack: Stack, command: tuple[str, ...]) -> int:
    """Run the command in a process of its own: two runners would share this one's standard output."""
    whole = [sys.executable, "-m", "tools.cli.app", *command, "--home", str(stack.home)]
    return subprocess.run(whole, capture_output=True, check=False).returncode


def test_a_refused_row_is_named_and_holds_back_what_follows_in_its_stream(stack: Stack, tmp_path: Path):
    record = a_new_record()
    rows(stack, written(tmp_path, record))
    reference = record["recommendations"][0]["reference"]
    with Services(Connection(stack.home, quiet=True), "secretariat") as office:
        path = f"/recommendations/{reference}/withdraw"
        office.post("recommendations", path, {"reason": "Synthetic"}, str(uuid4()))
    for text in ("One more", "And another"):
        report = {"progress": "implemented", "evidence": {"text": text}}
        record["recommendations"][0]["follow_up"].append(report)
    done = throughline(stack, "import", "record", str(written(tmp_path, record)))
    assert done.exit_code == 1
    assert "recommendations[0].follow_up[2]: refused OutOfOrder" in output_of(done)
    assert "recommendations[0].follow_up[3]: held back" in output_of(done)


def test_only_the_secretariat_loads_records(stack: Stack, tmp_path: Path):
    token = throughline(stack, "token", "--role", "expert").stdout.strip()
    done = throughline(stack, "import", "record", str(written(tmp_path, a_new_record())), "--token", token)
    assert done.exit_code == 1
    assert "RoleMayNot" in output_of(done)


def test_a_correction_without_a_reason_is_bad_input(tmp_path: Path):
    done = throughline(None, "import", "record", str(written(tmp_path, a_record())), "--correct", " ")
    assert done.exit_code == 2
    assert "--correct" in output_of(done)

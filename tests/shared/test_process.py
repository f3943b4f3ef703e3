"""A service as a process: how it begins, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest

from tests.patience import AT_MOST_SECONDS
from tools.local.ports import choose

pytestmark = pytest.mark.slow

PORT = choose(())
ENVIRONMENT = {
    "THROUGHLINE_KAFKA": "127.0.0.1:1",
    "THROUGHLINE_MONGODB": "mongodb://127.0.0.1:1",
    "THROUGHLINE_DATABASE": "synthetic",
    "THROUGHLINE_JWKS": "none",
    "THROUGHLINE_PORT": str(PORT),
}


HASTY = ENVIRONMENT | {"THROUGHLINE_HUNG_AFTER": "0.6"}
AWAY = "servers-away"


@contextmanager
def running(loop: str, environment: dict[str, str] = ENVIRONMENT, *more: str) -> Iterator[subprocess.Popen[str]]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("THROUGHLINE_")}
    command = [sys.executable, "-m", "tests.shared.loops", loop, *more]
    with subprocess.Popen(
        command, env=inherited | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    assert any(words in line for line in process.stdout), f"it ended without saying {words!r}"


@pytest.mark.parametrize("loop", ["raises", "returns", "is_cancelled_from_within"])
def test_a_process_whose_loop_dies_ends_with_an_error_so_that_it_is_started_again(loop: str) -> None:
    with running(loop) as process:
        output, _ = process.communicate(timeout=AT_MOST_SECONDS)
    assert process.returncode == 1
    assert '"event": "loop_died"' in output
    assert '"loop": "synthetic"' in output


@pytest.mark.parametrize("loop", ["cannot_be_prepared", "cannot_go_on"])
def test_a_process_that_cannot_run_as_it_is_set_up_ends_with_the_reason(loop: str) -> None:
    with running(loop) as process:
        output, _ = process.communicate(timeout=AT_MOST_SECONDS)
    assert process.returncode == 2
    assert output.endswith("THROUGHLINE_SYNTHETIC: cannot be used\n")
    assert ("the loop runs" in output) == (loop == "cannot_go_on")


def test_an_address_that_is_none_is_named_before_anything_else_is_tried() -> None:
    with running("makes_progress", ENVIRONMENT | {"THROUGHLINE_HOST": "not a host"}) as process:
        output, _ = process.communicate(timeout=AT_MOST_SECONDS)
    assert process.returncode == 2
    assert output.startswith("THROUGHLINE_HOST: 'not a host' is no address to listen on")


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_terminated_process_finishes_the_work_in_hand(sign: signal.Signals) -> None:
    with running("finishes_what_it_has_in_hand") as process:
        until(process, "Uvicorn running")
        process.send_signal(sign)
        output, _ = process.communicate(timeout=AT_MOST_SECONDS)
    assert process.returncode == 0
    assert "what was in hand is finished" in output
    assert "loop_died" not in output


def test_no_request_is_taken_before_everything_is_prepared() -> None:
    with running("waits_for_its_database") as process:
        until(process, "database_not_reachable")
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"http://127.0.0.1:{PORT}/", trust_env=False)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=AT_MOST_SECONDS)
    assert process.returncode == 0


def test_a_prepared_process_answers() -> None:
    with running("for_ever") as process:
        until(process, "Uvicorn running")
        assert httpx2.get(f"http://127.0.0.1:{PORT}/", trust_env=False, timeout=AT_MOST_SECONDS).json() == "here"


def test_an_empty_host_listens_on_both_families_under_the_path_of_a_front() -> None:
    environment = ENVIRONMENT | {"THROUGHLINE_HOST": "", "THROUGHLINE_ROOT_PATH": "/synthetic"}
    with running("for_ever", environment) as process:
        until(process, "Uvicorn running")
        for host in ("127.0.0.1", "[::1]"):
            assert httpx2.get(f"http://{host}:{PORT}/", trust_env=False, timeout=AT_MOST_SECONDS).json() == "here"


def test_production_ends_before_it_begins() -> None:
    with running("for_ever", ENVIRONMENT | {"THROUGHLINE_MODE": "production"}) as process:
        output, _ = process.communicate(timeout=AT_MOST_SECONDS)
    assert process.returncode == 2
    assert "the loop runs" not in output
    assert {"THROUGHLINE_KAFKA_PROTOCOL", "THROUGHLINE_MONGODB", "THROUGHLINE_JWKS"} <= {
        line.partition(":")[0] for line in output.splitlines()
    }


def test_a_missing_setting_is_named_at_the_start() -> None:
    incomplete = {name: value for name, value in ENVIRONMENT.items() if name != "THROUGHLINE_KAFKA"}
    with running("for_ever", incomplete) as process:
        output, _ = process.communicate(timeout=AT_MOST_SECONDS)
    assert process.returncode == 2
    assert output.strip() == "THROUGHLINE_KAFKA: Field required"


def test_a_wrong_setting_is_named_without_its_value() -> None:
    with running("for_ever", ENVIRONMENT | {"THROUGHLINE_PORT": "secret"}) as process:
        output, _ = process.communicate(timeout=AT_MOST_SECONDS)
    assert process.returncode == 2
    assert "THROUGHLINE_PORT" in output
    assert "secret" not in output


def test_a_process_whose_loop_hangs_ends_with_an_error_and_names_the_place() -> None:
    with running("hangs", HASTY) as process:
        output, _ = process.communicate(timeout=AT_MOST_SECONDS)
    assert process.returncode == 1
    assert re.search(r'"event": "loop_hung".*"loop": "synthetic".*"place": "Event.wait:\d+"', output)


@pytest.mark.drill
def test_a_process_whose_event_loop_is_blocked_ends_with_an_error_and_its_stacks() -> None:
    with running("blocks", HASTY) as process:
        output, _ = process.communicate(timeout=AT_MOST_SECONDS)
    assert process.returncode == 1
    assert '"event": "event_loop_blocked"' in output
    assert re.search(r'loops.py", line \d+ in blocks', output)


def test_a_process_ends_only_for_a_loop_that_hangs_while_the_servers_answer() -> None:
    with running("hangs", HASTY, AWAY) as process:
        for _ in range(3):
            until(process, "servers are looked at")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=AT_MOST_SECONDS)
    assert process.returncode == 0


@pytest.mark.drill
def test_a_process_that_was_stopped_and_goes_on_has_not_hung() -> None:
    with running("makes_progress", ENVIRONMENT | {"THROUGHLINE_HUNG_AFTER": "5"}) as process:
        until(process, "Uvicorn running")
        process.send_signal(signal.SIGSTOP)
        time.sleep(6)
        process.send_signal(signal.SIGCONT)
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=AT_MOST_SECONDS)
    assert process.returncode == 0
    assert "servers are looked at" not in output

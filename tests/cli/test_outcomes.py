"""A command says whether it was recorded, refused, or nobody knows; its request is what the service's API takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.cli.terminal import output_of, throughline

RESULT = {
    "stream": "meeting/m1", "version": 3, "replayed": False,
    "events": [{"id": "e1", "type": "throughline.meetings.MeetingHeld.v1", "version": 3}],
}  # fmt: skip
HOLD = ("meeting", "hold", "m1", "--id", "synthetic-id-1", "--note", "Synthetic")


def problem(status: int, rule: str, detail: str, **more: Any) -> tuple[int, dict[str, Any]]:
    return status, {"status": status, "rule": rule, "detail": detail, **more}


@contextmanager
def meetings(status: int, body: Any) -> Iterator[tuple[dict[str, str], list[dict[str, Any]]]]:
    """Serve one answer to every request; yield the environment that leads there, and the requests that came."""
    requests: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append({"path": self.path, "headers": dict(self.headers), "body": json.loads(sent)})
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Log nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        yield {"THROUGHLINE_URL_MEETINGS": url, "THROUGHLINE_TOKEN": "x"}, requests
        server.shutdown()


def test_a_command_that_is_recorded_is_said_and_was_sent_as_the_api_takes_it():
    with meetings(200, RESULT) as (there, requests):
        done = throughline(None, *HOLD, "--if-version", "2", **there)
        as_json = throughline(None, *HOLD, "--format", "json", **there)
    assert (done.exit_code, done.output) == (0, "meeting/m1 is at version 3: MeetingHeld.\n")
    assert json.loads(as_json.stdout) == RESULT
    assert requests[0]["path"] == "/meetings/m1/hold"
    assert requests[0]["body"] == {"note": "Synthetic"}
    assert requests[0]["headers"]["Idempotency-Key"] == "synthetic-id-1"
    assert requests[0]["headers"]["If-Match"] == '"2"'
    assert "If-Match" not in requests[1]["headers"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        (problem(422, "MeetingNotHeld", "s", paragraph="12"), 1, "MeetingNotHeld: s (founding note, para. 12)"),
        (problem(409, "OutOfOrder", "it was held"), 1, "OutOfOrder: it was held"),
        (problem(412, "VersionConflict", "it is at version 3"), 1, "VersionConflict: it is at version 3"),
        (problem(403, "RoleMayNot", "the role x may not do this"), 1, "RoleMayNot: the role x may not do this"),
        (problem(401, "TokenNotAccepted", "send a valid token"), 1, "TokenNotAccepted"),
        (problem(422, "SchemaViolation", "body.held_from: is not a time"), 2, "--held-from: is not a time"),
        (problem(422, "SchemaViolation", "body.\x1b[2J\u202e: x"), 2, "x"),
    ],
)
def test_a_refusal_is_said_without_a_line_for_a_retry(answer: tuple[int, dict[str, Any]], code: int, says: str):
    with meetings(*answer) as (there, requests):
        done = throughline(None, *HOLD, **there)
    assert (done.exit_code, len(requests)) == (code, 1)
    assert says in output_of(done)
    assert "--id" not in done.output
    assert "\x1b" not in done.output


def test_a_fault_of_the_service_leaves_the_outcome_unknown():
    with meetings(*problem(500, "FaultOfOurs", "a fault")) as (there, _):
        done = throughline(None, *HOLD, **there)
    assert done.exit_code == 1
    assert "Nobody knows whether it was recorded: send it again with --id synthetic-id-1." in output_of(done)


def test_a_replayed_command_says_so():
    with meetings(200, RESULT | {"replayed": True}) as (there, _):
        done = throughline(None, *HOLD, **there)
    assert done.exit_code == 0
    assert done.output.endswith("It was recorded before, by a command of this id.\n")


@pytest.mark.slow
@pytest.mark.parametrize("body", [{}, {"stream": "x"}, []])
def test_an_answer_that_is_none_of_ours_is_no_success(body: Any):
    with meetings(200, body) as (there, _):
        done = throughline(None, *HOLD, **there)
    assert done.exit_code == 1
    assert "is it a service of ours" in output_of(done)

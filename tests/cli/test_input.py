"""Arguments and options are read by one set of rules: refused in a sentence, exit code 2, before any request."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import get_args

import pytest
import typer
from typer.testing import Result

from services.recommendations.queries.traces import Stage
from shared.events.services import SERVICES
from shared.events.values import Reference
from shared.tlog.notes import Signer
from tests.cli.terminal import output_of, throughline
from tests.record.synthetic import a_record, written
from tests.shared.test_production import unprivileged
from tools.cli.import_record import load
from tools.cli.options import REFERENCE
from tools.cli.traces import STAGES
from tools.client.errors import StoppedByUser, exits
from tools.client.mongodb_client import FORM
from tools.client.progress import bar
from tools.record.checking import CheckedRecord, check

NOWHERE = {f"THROUGHLINE_URL_{name.upper()}": "http://127.0.0.1:9" for name in SERVICES} | {"THROUGHLINE_TOKEN": "x"}
NO_TEXT = os.fsdecode(b"\xff")
BETWEEN = ("--between", "2022-01-01T00:00:00Z", "2023-01-01T00:00:00Z")


class _Page(BaseHTTPRequestHandler):
    """A server of one page."""

    page = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.page)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Log nothing."""


@contextmanager
def served(page: bytes) -> Iterator[str]:
    """Serve a page at every path, and yield its address."""
    with HTTPServer(("127.0.0.1", 0), type("Page", (_Page,), {"page": page})) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def refused(*arguments: str | Path, **environment: str) -> str:
    """Run a command that refuses its input, and return its sentence."""
    done: Result = throughline(None, *map(str, arguments), **environment)
    assert isinstance(done.exception, SystemExit), repr(done.exception)
    assert done.exit_code == 2, done.output
    return output_of(done)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("traces --standing transmitted", "--standing transmitted: is not one of its words; --stage takes it"),
        ("traces --standing Live", "did you mean 'live'?"),
        ("traces --coverage deeep", "did you mean 'deep'?"),
        ("traces --disposition endorse", "did you mean 'endorsed'?"),
        ("dead-letters list --standing opn", "did you mean 'open'?"),
        ("dead-letters list --service meeting", "did you mean 'meetings'?"),
        ("dead-letters dismiss a/0/1 --service m --reason r", "is not a service; they are nominations"),
        ("stalled --service meeting", "did you mean 'meetings'?"),
        ("rebuild --service recommendation", "did you mean 'recommendations'?"),
        ("republish nomination", "did you mean 'nominations'?"),
        ("refill nomination", "did you mean 'nominations'?"),
        ("indexes ensure notification", "did you mean 'notifications'?"),
        ("audit export new --service meeting", "did you mean 'meetings'?"),
        ("audit keygen new --service meeting", "did you mean 'meetings'?"),
        ("token --role auditr", "did you mean 'auditor'?"),
        ("simulate --events 1 --into service", "did you mean 'services'?"),
    ],
)
def test_a_word_of_a_closed_list_that_is_none_is_refused_with_the_nearest(command: str, says: str):
    assert says in refused(*command.split(), **NOWHERE)


@pytest.mark.parametrize("day", ["20221231", "2022-W52-6", "2022-12", "2022-12-31T00:00", "", "2022-13-01"])
def test_a_day_is_read_by_one_check(day: str, tmp_path: Path):
    for command in (["trace", "CED/2022/R1"], ["audit", "replay", str(tmp_path)]):
        assert "is not a day; write YYYY-MM-DD" in refused(*command, "--as-of", day, **NOWHERE)


@pytest.mark.parametrize("time", ["2022", "20220101T000000Z", "2022-01-01 00:00", "2022-01-01T25:00:00Z", "1640995200"])
def test_a_time_is_read_by_one_check(time: str, tmp_path: Path):
    for command in (
        ["trace", "CED/2022/R1", "--known-at", time],
        ["audit", "replay", str(tmp_path), "--known-at", time],
        ["audit", "diff", str(tmp_path), "--between", time, "2030-01-01T00:00:00Z"],
    ):
        assert "is not a time; write it as in" in refused(*command, **NOWHERE)


def test_a_reference_has_the_form_that_the_services_know():
    assert f"^{REFERENCE.pattern}$" in str(Reference.__metadata__)  # type: ignore[attr-defined]


def test_the_command_line_knows_every_stage():
    assert get_args(Stage) == STAGES


@pytest.mark.parametrize("reference", ["CED/2022/R1\n", "ced/2022/r1", "CED/2022/R0", "CED/2022/R1/x", NO_TEXT])
def test_a_reference_is_read_by_one_check(reference: str):
    assert "is not a reference" in refused("trace", reference, **NOWHERE)
    assert "is not a reference" in refused("audit", "prove", reference, **NOWHERE)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (NO_TEXT, "no UTF-8 text"),
        ("a\x1bb", "control character"),
        (" ", "is blank"),
        ("x" * 20_001, "20000 char"),
    ],
)
def test_a_text_is_read_as_the_services_read_it(text: str, says: str, tmp_path: Path):
    file = written(tmp_path, a_record())
    for command in (
        ["import", "record", str(file), "--correct", text],
        ["dead-letters", "dismiss", "throughline.meetings/0/1", "--service", "meetings", "--reason", text],
        ["privacy", "erase", "synthetic-person", "--yes", "--reason", text],
        ["traces", "--theme", text],
        ["token", "--role", "auditor", "--subject", text],
    ):
        assert says in refused(*command, **NOWHERE)


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "1e999", "ten"])
def test_seconds_are_a_number(seconds: str, tmp_path: Path):
    refused("import", "record", written(tmp_path, a_record()), "--patience", seconds, **NOWHERE)
    refused("audit", "export", tmp_path / "new", "--wait", seconds, **NOWHERE)


@pytest.mark.parametrize(
    "place", ["throughline.meetings/0", "a b?x=1#/0/1", f"{NO_TEXT}/0/1", "a/0/1\n", "a/-1/1", "../0/1/2", "a/٣/1"]
)
def test_the_place_of_a_dead_letter_is_one(place: str):
    assert "is not a dead letter" in refused(
        "dead-letters", "dismiss", place, "--service", "meetings", "--reason", "r", **NOWHERE
    )


@pytest.mark.parametrize("person", ["Synthetic Expert", "", "a@b", NO_TEXT])
def test_an_expert_is_named_by_an_id(person: str):
    assert "is no id of a person" in refused("token", "--role", "expert", "--expert", person, **NOWHERE)


@pytest.mark.parametrize("token", ["ä", NO_TEXT, "a b", "a\x00"])
def test_a_token_that_no_header_can_hold_is_refused(token: str):
    assert "is no bearer token" in refused("traces", "--token", token, **(NOWHERE | {"THROUGHLINE_TOKEN": ""}))


@pytest.mark.parametrize("kafka", ["nonsense", "nonsense:xx", "a:1,,b:2", "a b:1", "http://a:1"])
def test_the_address_of_kafka_is_one(kafka: str, tmp_path: Path):
    assert "write HOST:PORT" in refused("users", "ensure", "--kafka", kafka, "--passwords", tmp_path / "passwords")
    assert "write HOST:PORT" in refused("replay", "--kafka", kafka, **NOWHERE)
    assert "write HOST:PORT" in refused("replay", **NOWHERE, THROUGHLINE_KAFKA=kafka)


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://a", "http://", "http://a:x", "http://[::1", "http://a b"])
def test_the_address_of_a_service_is_one(url: str, tmp_path: Path):
    given = NOWHERE | {"THROUGHLINE_URL_RECOMMENDATIONS": url}
    assert "write http://HOST:PORT" in refused("traces", **given)
    assert "write http://HOST:PORT" in refused("import", "record", written(tmp_path, a_record()), **given)


def test_an_address_at_which_no_service_of_ours_answers_is_named():
    with served(b"<html>Synthetic</html>") as url:
        done = throughline(None, "traces", THROUGHLINE_URL_RECOMMENDATIONS=url, THROUGHLINE_TOKEN="x")
    assert done.exit_code == 1
    assert f"{url}/traces answers without JSON" in output_of(done)


def test_an_address_of_mongodb_that_is_none_is_bad_input():
    assert "is no MongoDB URI" in refused("indexes", "ensure", "--mongodb", "mongodb://")


COMMANDS_WITH_A_PATH = {
    "an export": ("audit", "export", "{}"),
    "a bundle": ("audit", "verify", "{}"),
    "a replayed bundle": ("audit", "replay", "{}"),
    "a compared bundle": ("audit", "compare", "{}"),
    "two times of a bundle": ("audit", "diff", "{}", *BETWEEN),
    "a source of a proof": ("audit", "prove", "CED/2022/R1", "--from", "{}"),
    "a home": ("traces", "--home", "{}"),
    "the home of a trace": ("trace", "CED/2022/R1", "--home", "{}"),
    "the home of a replay": ("replay", "--home", "{}"),
    "the home of a refill": ("refill", "meetings", "--home", "{}"),
    "the home of indexes": ("indexes", "ensure", "--home", "{}"),
    "the home of a stack": ("stack", "status", "--home", "{}"),
    "the home of a stack to stop": ("stack", "down", "--home", "{}"),
    "the home of a stack to start": ("stack", "up", "--home", "{}"),
    "the folder of passwords": ("users", "ensure", "--kafka", "127.0.0.1:9", "--passwords", "{}"),
}


@pytest.mark.parametrize("command", COMMANDS_WITH_A_PATH.values(), ids=COMMANDS_WITH_A_PATH)
@pytest.mark.parametrize("below", ["", "/below"])
def test_a_file_in_place_of_a_folder_is_refused_before_any_request(
    command: tuple[str, ...], below: str, tmp_path: Path
):
    file = tmp_path / "[b]no folder[nor markup]"
    file.write_text("Synthetic")
    output = refused(*(word.format(f"{file}{below}") for word in command))
    assert "[b]no folder[nor markup]" in output
    assert file.read_text() == "Synthetic"


def test_a_folder_in_place_of_a_file_is_refused_before_any_request(tmp_path: Path):
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    assert "name a file" in refused("audit", "prove", "CED/2022/R1", "--out", tmp_path, **NOWHERE)
    assert "(Is a directory)" in refused("audit", "verify-proof", tmp_path)
    assert "(Is a directory)" in refused("import", "record", tmp_path)
    assert "exists" in refused("audit", "keygen", tmp_path, "--service", "meetings")
    assert "Is a directory" in refused("simulate", "--events", "1", "--into", tmp_path)
    assert "is no bundle" in refused("audit", "export", bundle.parent, **NOWHERE)


@pytest.mark.parametrize("out", ["file/key", "x" * 300])
def test_a_file_that_cannot_be_written_is_one_sentence(out: str, tmp_path: Path):
    (tmp_path / "file").write_text("Synthetic")
    assert "Traceback" not in refused("audit", "keygen", tmp_path / out, "--witness", "synthetic.example")


@pytest.mark.parametrize("content", ["[]", "null", '"x"', "{", "", "NaN", "\x00"])
@pytest.mark.parametrize("file", ["stack.json", "token_key.json"])
def test_the_state_of_a_stack_that_is_spoilt_does_not_count_as_none(content: str, file: str, tmp_path: Path):
    (tmp_path / file).write_text(content)
    command = ("traces",) if file == "stack.json" else ("token", "--role", "auditor")
    assert f"{file} is spoilt" in refused(*command, "--home", tmp_path)
    assert (tmp_path / file).read_text() == content


def test_a_file_of_keys_without_a_key_does_not_count_as_trust_in_none(tmp_path: Path):
    (tmp_path / "log-keys").mkdir()
    (tmp_path / "log-keys/public.vkeys").write_text("\n")
    assert "holds no key" in refused("replay", "--kafka", "127.0.0.1:9", "--home", tmp_path, **NOWHERE)
    assert "holds no key" in refused("replay", "--kafka", "127.0.0.1:9", "--key", " ", **NOWHERE)


def test_a_fifo_in_place_of_keys_or_a_certificate_is_refused_and_not_read(tmp_path: Path):
    fifo = tmp_path / "token_key.json"
    os.mkfifo(fifo)
    uri = f"mongodb://a:b@127.0.0.1:1/?tls=true&tlsCAFile={fifo}"
    says = "not a regular file"
    assert says in refused("token", "--role", "auditor", "--home", tmp_path)
    assert says in refused("replay", "--kafka", "127.0.0.1:9", **NOWHERE, THROUGHLINE_TRUSTED_KEYS_FILE=str(fifo))
    assert says in refused("backup", "release", "--mongodb", uri)
    assert says in refused("indexes", "ensure", "--mongodb", uri)


@pytest.mark.parametrize(
    "command",
    [
        ("backup", "load", "{}", "--mongodb", "mongodb://a:b@127.0.0.1:1/"),
        ("users", "ensure", "--kafka", "127.0.0.1:1", "--passwords", "{}"),
        ("restore", "{}", "--deployment", "synthetic"),
    ],
    ids=lambda command: command[0],
)
def test_a_folder_that_may_not_be_looked_into_is_named(command: tuple[str, ...], tmp_path: Path):
    (folder := tmp_path / "folder").mkdir()
    words = [word.format(folder) for word in command]
    throughline(None, *words)  # which imports what the other user may not read
    folder.chmod(0)
    with unprivileged(folder):
        assert f"{folder} cannot be read (Permission denied)" in refused(*words)


@pytest.mark.parametrize("ids", ["x", "0011223", "0011223g", "00112233,44556677"])
def test_an_id_of_a_distrusted_key_that_is_none_is_refused_as_services_refuse_it(ids: str):
    key = Signer.generate("throughline.synthetic/meetings").verifier.vkey
    distrusted = NOWHERE | {"THROUGHLINE_DISTRUSTED_KEYS": ids}
    assert "is no key id of 8 hex digits" in refused("replay", "--kafka", "127.0.0.1:9", "--key", key, **distrusted)


def test_many_errors_of_one_kind_are_a_few_lines_and_json_has_them_all(tmp_path: Path):
    record = a_record()
    record["recommendations"][0]["themes"] = [f"Unknown {number}" for number in range(90)]
    record["recommendations"][0]["colour"] = "red"
    file = written(tmp_path, record)
    output = throughline(None, "import", "record", str(file))
    assert output.exit_code == 2
    assert len(output.stderr.splitlines()) == 5 + 1 + 1 + 1
    assert "UnknownTheme: 85 more, the last at recommendations[0].themes[89]" in output.stderr
    assert "91 errors; nothing was sent" in output.stderr
    listed = json.loads(throughline(None, "import", "record", str(file), "--format", "json").stdout)["errors"]
    assert len(listed) == 91
    assert {"row", "line", "rule", "says"} == listed[0].keys()


class _PressesCtrlC:
    """A gateway at which a person presses Ctrl-C after some rows."""

    def __init__(self, rows: int) -> None:
        self._left = rows

    def stream(self, _service: str, _stream: str) -> list[object]:
        return []

    def send(self, *_: object) -> int:
        self._left -= 1
        if self._left < 0:
            raise KeyboardInterrupt
        return 1


@pytest.fixture
def checked(tmp_path: Path) -> CheckedRecord:
    return check(written(tmp_path, a_record()))


def test_an_import_that_is_interrupted_says_how_far_it_came(checked: CheckedRecord):
    with pytest.raises(StoppedByUser, match=rf"Stopped after 3 of {len(checked.rows)} rows: run it again to resume"):
        load(checked, _PressesCtrlC(3))  # type: ignore[arg-type]


def test_every_long_task_that_is_interrupted_says_how_far_it_came(capsys: pytest.CaptureFixture[str]):
    def task() -> None:
        with exits(), bar("Rebuilding") as advance:
            advance(7, 9)
            raise KeyboardInterrupt

    with pytest.raises(typer.Exit) as ended:
        task()
    assert ended.value.exit_code == 130
    assert "Rebuilding: interrupted after 7 of 9." in capsys.readouterr().err


@pytest.mark.parametrize("variable", ["throughline_indexes_mongodb", "throughline_admin_mongodb"])
def test_an_option_comes_from_a_file_of_secrets_where_neither_is_typed(tmp_path: Path, variable: str) -> None:
    (tmp_path / variable).write_text("http://synthetic-secret\n")
    done = throughline(None, "indexes", "ensure", THROUGHLINE_SECRETS_DIR=str(tmp_path))
    assert (done.exit_code, output_of(done)) == (2, f"--mongodb: {FORM}.")
    done = throughline(None, "indexes", "ensure", THROUGHLINE_SECRETS_DIR=str(tmp_path / "absent"))
    assert done.exit_code == 2
    assert "THROUGHLINE_SECRETS_DIR" in done.output

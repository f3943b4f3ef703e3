"""Every command and query of the services has its words; what is typed becomes the body that the service takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import output_of, throughline
from tests.cli.test_commands import loaded_by
from tests.cli.test_input import NO_TEXT, NOWHERE, refused
from tools.cli.bodies import body_of, options_of, read_value
from tools.cli.commands import COMMANDS
from tools.cli.record_commands import by_options
from tools.cli.words import lists, nouns
from tools.client import api
from tools.client.api import Command, Field, Route
from tools.client.errors import BadInput

ROWS: tuple[Route, ...] = tuple(row for row in (*api.commands(), *api.operations(), *api.queries()) if row.typed)
TYPED = sorted({row.typed for row in ROWS} - {row.command for row in COMMANDS})
IDS = {"recommendation": "CED/2022/R1", "session": "7", "document": "0" * 64, "stream": "call/a", "log-tile": "0/0"}
OTHERS = {
    "RecordOrigin": {("document",)},
    "ReportFollowUp": {("evidence", name) for name in ("deliverable", "session", "document", "digest", "text")},
}
"""The fields that a command does not take beside another one."""
DETAILS = {"details": {"name": "Synthetic Expert", "contact": "synthetic@example.org"}}


def model_of(row: Command) -> Any:
    """Return the model by which the service reads a command's body."""
    routes = import_module(f"services.{row.service}.api").COMMAND_ROUTES
    return next(route.command for route in routes if route.path == row.path)


def example(field: Field) -> Any:
    """Return a value that is typed for a field."""
    if field.item is not None:
        return [example(field.item), example(field.item)]
    if field.fields or field.type == "object":
        return json.dumps(
            {each.name: example(each) for each in field.fields if each.required} or {"title": "Synthetic"}
        )
    if field.words:
        return field.words[-1]
    if field.examples:
        return field.examples[0]
    match field.type:
        case "integer":
            return field.minimum or 1
        case "boolean":
            return True
        case _:
            forms = {"text/html": "text/html", "https://": "https://synthetic.example.org"}
            return next((text for form, text in forms.items() if form in field.form), "Synthetic")


def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, dict[str, Any], dict[str, str]]]:
    """Record what would be sent, and answer as a service does."""
    requests: list[tuple[str, str, dict[str, Any], dict[str, str]]] = []

    def execute(
        _: object, service: str, path: str, body: dict[str, Any], headers: dict[str, str], **_query: Any
    ) -> dict[str, Any]:
        requests.append((service, path, body, headers))
        event = {"id": "synthetic", "type": "throughline.meetings.MeetingHeld.v1", "version": 1}
        return {"stream": "meeting/synthetic", "version": 1, "events": [event], "replayed": False}

    monkeypatch.setattr("tools.client.services.Services.execute", execute)
    return requests


@pytest.mark.slow
@pytest.mark.parametrize("typed", TYPED)
def test_every_row_of_the_table_is_a_command_with_help_that_names_its_fields(typed: str):
    done = throughline(None, *typed.split(), "--help")
    assert done.exit_code == 0, done.output
    assert "Exit code" in done.output
    assert "Example: throughline " + typed in output_of(done)
    if row := next((row for row in api.commands() if row.typed == typed), None):
        names_every_field(row, output_of(done))


def test_every_row_is_typed_by_words_that_there_are():
    written = {row.command for row in COMMANDS}
    generated = {f"{noun} {word}" for noun, words in nouns().items() for word in words} | lists().keys()
    assert {row.typed for row in ROWS} - written == generated


def test_no_word_that_is_made_hides_one_that_was_written():
    first = {row.words[0] for row in COMMANDS}
    assert first & (nouns().keys() | lists().keys()) == set()
    assert nouns().keys() & lists().keys() == set()


@pytest.mark.parametrize("row", api.commands(), ids=lambda row: row.typed)
def test_what_is_typed_is_a_body_that_the_service_takes(row: Command):
    options = options_of(row)
    assert len({option.flag for option in options}) == len(options)
    given = {
        option.argument: example(option.field) for option in options if option.place not in OTHERS.get(row.name, ())
    }
    base = {field.name: {each.name: example(each) for each in field.fields} for field in row.fields if field.personal}
    assert model_of(row).model_validate(body_of(options, given, base))


def names_every_field(row: Command, page: str) -> None:
    """Check that a page of help names every field with its description."""
    words = " ".join(page.replace("│", " ").split())
    for option in options_of(row):
        assert f" {option.flag} " in words
        assert option.field.description[1:30] in words
        assert all(word in words for word in option.field.words)


def test_a_command_is_sent_with_its_fields_and_an_id_of_its_own(monkeypatch: pytest.MonkeyPatch):
    requests = sent(monkeypatch)
    done = throughline(
        None, "recommendation", "adopt", "CED/2022/R1", "--meeting", "teg-2024-1", "--text-version", "2",
        "--if-version", "5", **NOWHERE,
    )  # fmt: skip
    assert (done.exit_code, done.output) == (0, "meeting/synthetic is at version 1: MeetingHeld.\n")
    [(service, path, body, headers)] = requests
    assert (service, path) == ("recommendations", "/recommendations/CED/2022/R1/adopt")
    assert body == {"meeting": "teg-2024-1", "text_version": 2}
    assert headers["If-Match"] == '"5"'
    throughline(None, "meeting", "hold", "m1", **NOWHERE)
    throughline(None, "meeting", "hold", "m1", "--id", "synthetic-id-1", **NOWHERE)
    ids = [each[3]["Idempotency-Key"] for each in requests]
    assert len(set(ids)) == 3
    assert ids[2] == "synthetic-id-1"


def test_nested_fields_lists_and_flags_are_options(monkeypatch: pytest.MonkeyPatch):
    requests = sent(monkeypatch)
    nomination = ("nomination", "submit", "--member", "FJI", "--institution", "Synthetic Institute")
    answers = "Synthetic Expert\nsynthetic@example.org\n\n"
    done = throughline(
        None, *nomination, "--category", "official", "--themes", "Clean air for all", "--themes", "Energy",
        "--note-verbale.channel", "note_verbale", "--note-verbale.reference", "Synthetic 1", input_=answers, **NOWHERE,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    throughline(None, "recommendation", "revise", "CED/2022/R1", "--title", "T", "--clerical", **NOWHERE)
    throughline(
        None, "meeting", "add-agenda-item", "m1", "--title", "T", "--item", "i1",
        "--provisions", '{"instrument": "75-4", "provision": "a"}', **NOWHERE,
    )  # fmt: skip
    bodies = [body for _, _, body, _ in requests]
    assert bodies[0] == {
        "member": "FJI", "institution": "Synthetic Institute", "category": "official",
        "themes": ["Clean air for all", "Energy"],
        "note_verbale": {"channel": "note_verbale", "reference": "Synthetic 1"}, **DETAILS,
    }  # fmt: skip
    assert bodies[1] == {"title": "T", "clerical": True}
    assert bodies[2]["provisions"] == [{"instrument": "75-4", "provision": "a"}]


def test_a_file_gives_what_is_personal_and_options_the_rest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    requests = sent(monkeypatch)
    file = tmp_path / "private.json"
    file.write_text(json.dumps(DETAILS | {"note_verbale": {"channel": "letter", "reference": "S 1"}}))
    options = ("--member", "FJI", "--institution", "I", "--category", "academia")
    for given, typed in ((str(file), ""), ("-", file.read_text())):
        done = throughline(None, "nomination", "submit", *options, "--json", given, input_=typed, **NOWHERE)
        assert done.exit_code == 0, done.output
    assert requests[0][2] == requests[1][2]
    assert requests[0][2]["details"] == DETAILS["details"]
    says = refused("nomination", "submit", *options, "--json", file, "--note-verbale.channel", "email", **NOWHERE)
    assert "--note-verbale.channel: --json gives note_verbale too; give it in one of them." in says


@pytest.mark.parametrize("word", ["submit", "resubmit"])
def test_what_is_personal_is_no_option_and_is_asked_for(word: str):
    assert all(not option.flag.startswith("--details") for option in options_of(api.command("nomination", word)))
    ident = [] if word == "submit" else ["n1"]
    rest = ["--institution", "I", "--category", "official"] + (["--member", "FJI"] if word == "submit" else [])
    paper = ["--note-verbale.channel", "letter", "--note-verbale.reference", "S 1"]
    assert "details: nobody answered; give it in a file" in refused(
        "nomination", word, *ident, *rest, *paper, **NOWHERE
    )


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("nomination accept", "Missing argument"),
        ("nomination accept x --reson y", "No such option"),
        ("nomination accept x --accepted-o 2022", "--accepted-on"),
        ("nomination acept x", "Did you mean 'accept'"),
        ("nominatons", "Did you mean 'nominations'"),
        ("nomination accept a/b", "is not the id of a nomination; it is up to 100 letters"),
        ("nomination show ../x", "is not the id of a nomination"),
        ("nomination show ..", "is not the id of a nomination"),
        ("recommendation adopt CED/2022", "write committee/year/number, as in CED/2022/R1"),
        ("recommendation adopt CED/22/R1", "its year is a year, as in 2022"),
        ("session show seven", "the number of a session"),
        ("stream show call/../x", "is not the id of a stream"),
        ("nomination decline x --ground nope", "--ground nope: is not one of its words; they are not_eligible"),
        ("nomination decline x --ground Duplicate", "did you mean 'duplicate'?"),
        ("nomination decline x", "--ground: must be given (not_eligible, duplicate, withdrawn_by_government)"),
        ("meeting hold m1 --id short", "--id \"short\": write 8 to 100"),
        ("meeting hold m1 --if-version 0", "greater than or equal to 1"),
        ("meeting hold m1 --if-version x", "a valid integer"),
        ("meeting hold m1 --format xml", "--format"),
        ("meeting confirm m1 --role expert", "is not a role that may do this; they are chair, secretariat"),
        ("nomination withdraw n1 --role focal_point", "a focal point speaks for one member"),
        ("nomination withdraw n1 --role secretariat:FJI", "no other role has either"),
        ("nomination withdraw n1 --role focal_point:fji", "a focal point speaks for one member"),
        ("recommendation transmit CED/2022/R1 --session 7.5", "a valid integer"),
        ("call correct c --corrects 1 --reason r --data nonsense", "--data \"nonsense\": is not JSON"),
        ("call correct c --corrects 1 --reason r --data []", "is not a JSON object"),
        ("call correct c --json /nonexistent", "--json /nonexistent: FileNotFoundError"),
        ("recommendation report-follow-up CED/2022/R1 --progress nope", "--progress nope"),
        ("nominations --stage submited", "did you mean 'submitted'?"),
        ("meetings --modality Online", "did you mean 'online'?"),
        ("nominations --limit 0", "greater than or equal to 1"),
        ("refusals --service meeting", "did you mean 'meetings'?"),
        ("dependants", "Missing option"),
        ("events --stream nonsense", '--stream "nonsense": is not of the form: a stream, as in meeting/teg-2024'),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_before_any_request(command: str, says: str):
    assert says in refused(*command.split(), **(NOWHERE | {"THROUGHLINE_TOKEN": ""}))


def test_one_refusal_names_all_that_is_missing():
    says = refused("nomination", "submit", "--member", "FJI", **NOWHERE)
    for flag in ("--note-verbale.channel", "--note-verbale.reference", "--institution", "--category"):
        assert f"{flag}: must be given" in says


@pytest.mark.parametrize("text", [NO_TEXT, f"a{NO_TEXT}"])
def test_bytes_that_are_no_text_are_refused(text: str):
    assert "no UTF-8 text" in refused("meeting", "cancel", "m1", "--reason", text, **NOWHERE)
    assert "no UTF-8 text" in refused("nominations", "--theme", text, **NOWHERE)
    assert "is not the id" in refused("meeting", "show", text, **NOWHERE)
    assert "no UTF-8 text" in refused("stream", "show", f"call/{text}", **NOWHERE)


HOSTILE = ["[bold]markup[/]", "a\x1b[31mred", "\u202ereversed", "{0} {name} %s $(x)", "--", "=?utf-8?q?x?=", "\r\nX: y"]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_is_data_in_the_body_and_in_a_refusal(text: str, monkeypatch: pytest.MonkeyPatch):
    requests = sent(monkeypatch)
    done = throughline(None, "meeting", "cancel", "m1", f"--reason={text}", **NOWHERE)
    assert done.exit_code == 0, done.output
    assert requests[0][2] == {"reason": text}
    says = throughline(None, "nomination", "decline", "n1", f"--ground={text}", **NOWHERE).output
    assert "\x1b" not in says
    assert "\u202e" not in says
    assert "is not one of its words" in says


def test_a_text_is_sent_in_one_form_of_unicode(monkeypatch: pytest.MonkeyPatch):
    requests = sent(monkeypatch)
    throughline(None, "meeting", "cancel", "m1", "--reason", "Re\u0301union 会议 اجتماع", **NOWHERE)
    assert requests[0][2] == {"reason": "R\u00e9union 会议 اجتماع"}


def test_an_empty_text_is_for_the_service_to_refuse(monkeypatch: pytest.MonkeyPatch):
    requests = sent(monkeypatch)
    throughline(None, "meeting", "cancel", "m1", "--reason", "", **NOWHERE)
    assert requests[0][2] == {"reason": ""}


def test_a_refused_body_names_options():
    row = api.command("nomination", "submit")
    says = by_options(row, "body.note_verbale.reference: is blank; body.details.name: must be given; body.themes.0: x")
    assert says == "--note-verbale.reference: is blank; details.name: must be given; --themes.0: x"


def test_a_role_beside_a_token_is_refused():
    assert "leave one of them out" in refused("meeting", "hold", "m1", "--role", "secretariat", **NOWHERE)


@pytest.mark.parametrize("command", ["expert erase p1 --reason r", "call void c --voids 1 --reason r"])
def test_what_cannot_be_taken_back_asks_first(command: str, monkeypatch: pytest.MonkeyPatch):
    requests = sent(monkeypatch)
    assert "Nothing was sent" in refused(*command.split(), **NOWHERE)
    assert requests == []
    assert throughline(None, *command.split(), "--yes", **NOWHERE).exit_code == 0
    assert throughline(None, *command.split(), input_="y\n", **NOWHERE).exit_code == 0
    assert len(requests) == 2


@pytest.mark.slow
def test_a_service_that_does_not_answer_leaves_an_id_for_the_retry():
    done = throughline(None, "meeting", "hold", "m1", "--id", "synthetic-id-1", **NOWHERE)
    assert done.exit_code == 3
    assert "Nobody knows whether it was recorded: send it again with --id synthetic-id-1." in output_of(done)
    nowhere = throughline(None, "meeting", "hold", "m1", THROUGHLINE_TOKEN="x")
    assert (nowhere.exit_code, "--id" in nowhere.output) == (3, False)


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("nomination", "--help"), ("nomination", "submit", "--help"), ("nominations", "--help"), ("nominaton",),
        ("nomination", "accept", "a/b"), ("recommendation", "adopt"),
    ],
)  # fmt: skip
def test_help_and_a_refused_word_load_nothing_heavy(words: tuple[str, ...], tmp_path: Path):
    _, heavy = loaded_by(tmp_path, *words)
    assert heavy == []


def test_a_word_of_a_list_that_is_none_loads_the_nearest_words_alone(tmp_path: Path):
    _, heavy = loaded_by(tmp_path, "nominations", "--stage", "submited")
    assert set(heavy) <= {"shared.events", "shared.events.wording"}


@pytest.mark.parametrize("given", [0, True, {"a": 1}])
def test_a_value_that_was_read_already_stays(given: Any):
    assert read_value("--x", Field("x", "integer"), given) == given


def test_a_form_is_held_to_its_whole_text():
    field = Field("x", "string", form="two letters", pattern="^[a-z]{2}$")
    assert read_value("--x", field, "ab") == "ab"
    with pytest.raises(BadInput, match="is not of the form: two letters"):
        read_value("--x", field, "ab\n")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("document put /nonexistent/x --service meetings", "/nonexistent/x: FileNotFoundError"),
        ("document put /nonexistent --service meeting", "did you mean 'meetings'?"),
        ("document put / --service meetings", "IsADirectoryError"),
        ("document put /x --service meetings --media-type text", "as in application/pdf"),
        ("document put /x", "Missing option"),
    ],
)
def test_a_document_that_cannot_be_stored_is_refused_before_any_request(command: str, says: str):
    assert says in refused(*command.split(), **NOWHERE)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "at", "words"),
    [
        ("throughline nomination decline x --ground ", 5, ["not_eligible", "duplicate", "withdrawn_by_government"]),
        ("throughline nomination dec", 2, ["decline"]),
        ("throughline meetings --modality h", 3, ["hybrid"]),
        ("throughline recommendation adopt x --adopted", 4, ["--adopted-on"]),
    ],
)
def test_words_nouns_and_options_are_completed(typed: str, at: int, words: list[str]):
    shell = {"_THROUGHLINE_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(at)}
    done = subprocess.run(
        [Path(sys.executable).with_name("throughline")],
        capture_output=True,
        text=True,
        env=os.environ | shell,
        check=True,
    )
    assert done.stdout.split() == words

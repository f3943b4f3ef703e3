"""The main job by the command line's words alone, on real servers; lists, refusals with their codes, and retries."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import Result

from tests.cli.terminal import output_of, throughline
from tests.patience import AT_MOST_SECONDS
from tools.client.tokens import mint
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
PAGE = (Path(__file__).parents[2] / "docs/commands.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```\w*\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
[DETAILS] = [block for block in BLOCKS if block.startswith("{")]
[EXAMPLE] = [block for block in BLOCKS if "call open" in block]
PAPER = ("--note-verbale.channel", "letter", "--note-verbale.reference", "Synthetic 7")


def run(stack: Stack, *words: str, **more: Any) -> Result:
    """Run a command that succeeds; what was recorded a moment ago may not be on record yet."""
    end = time.monotonic() + AT_MOST_SECONDS
    while "is not on record" in (done := throughline(stack, *words, **more)).output and time.monotonic() < end:
        time.sleep(0.1)
    assert done.exit_code == 0, done.output
    return done


def listed(stack: Stack, *words: str) -> list[Any]:
    items: list[Any] = json.loads(run(stack, *words, "--format", "json").stdout)
    return items


def listed_when_there(stack: Stack, *words: str) -> list[Any]:
    """Return a list once it has items: a policy adds them after the command."""
    until = time.monotonic() + AT_MOST_SECONDS
    while not (items := listed(stack, *words)) and time.monotonic() < until:
        time.sleep(0.2)
    assert items, words
    return items


def a_nomination(stack: Stack, *, answers: str = "Synthetic Expert\nsynthetic@example.org\nSynthetic note\n") -> str:
    """Submit a nomination of Fiji whose person is typed as an answer."""
    key = f"words-{uuid4().hex[:8]}"
    options = ("--member", "FJI", "--institution", "Synthetic", "--category", "academia", *PAPER)
    run(stack, "nomination", "submit", "--nomination", key, *options, "--role", "focal_point:FJI", input_=answers)
    return key


def test_the_example_of_the_page_runs_from_call_to_follow_up(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "details.json").write_text(DETAILS)
    membership = ""
    for line in EXAMPLE.replace("\\\n", " ").splitlines():
        words = [membership if word == "MEMBERSHIP" else word for word in shlex.split(line)[1:]]
        if words[0] == "memberships":
            [item] = listed_when_there(stack, *words)
            membership = item["stream"].partition("/")[2]
        done = run(stack, *words)
    for says in ("Synthetic resolution 1", "endorsed on 6 November 2020", "Synthetic report"):
        assert says in output_of(done)


def test_a_list_is_filtered_in_both_formats(stack: Stack):
    key = a_nomination(stack)
    filters = ("--stage", "submitted", "--member", "FJI", "--category", "academia")
    assert f"nomination/{key}" in {item["stream"] for item in listed_when_there(stack, "nominations", *filters)}
    table = output_of(run(stack, "nominations", *filters))
    assert key in table
    assert "stage" in table
    assert (
        listed(stack, "nominations", "--stage", "submitted", "--member", "TON", "--theme", "Synthetic no theme") == []
    )
    empty = run(stack, "nominations", "--stage", "submitted", "--member", "TON", "--theme", "Synthetic no theme")
    assert empty.stdout == "No nominations.\n"
    assert len(listed(stack, "nominations", "--limit", "1")) == 1


def test_one_record_is_shown_with_what_its_role_may_see(stack: Stack):
    key = a_nomination(stack)
    run(stack, "nomination", "show", key, "--at-least", "1")
    assert "Synthetic Expert" not in run(stack, "nomination", "show", key).stdout
    own = json.loads(run(stack, "nomination", "show", key, "--role", "focal_point:FJI", "--format", "json").stdout)
    assert own["state"]["details"] == {
        "name": "Synthetic Expert", "contact": "synthetic@example.org", "about": "Synthetic note",
    }  # fmt: skip
    text = run(stack, "nomination", "show", key, "--role", "secretariat").stdout
    assert f"nomination/{key} at version 1" in text
    assert "contact: synthetic@example.org" in text
    other = throughline(stack, "nomination", "show", key, "--role", "focal_point:TON")
    assert (other.exit_code, "NotYoursToRead" in other.output) == (1, True)


def test_a_retry_with_the_same_id_is_replayed(stack: Stack):
    key = a_nomination(stack)
    command = ("nomination", "return", key, "--reason", "Synthetic gap", "--id", f"words-{key}")
    assert "It was recorded before" not in run(stack, *command).stdout
    again = run(stack, *command)
    assert again.stdout == (
        f"nomination/{key} is at version 2: NominationReturned. It was recorded before, by a command of this id.\n"
    )
    assert json.loads(run(stack, *command, "--format", "json").stdout)["replayed"] is True
    assert json.loads(run(stack, "stream", "show", f"nomination/{key}", "--format", "json").stdout)[1]["type"] == (
        "throughline.nominations.NominationReturned.v1"
    )


def test_refusals_have_their_codes_and_sentences(stack: Stack):
    key = a_nomination(stack)
    blank = throughline(stack, "nomination", "return", key, "--reason", " ")
    assert (blank.exit_code, "--reason: is blank" in output_of(blank)) == (2, True)
    version = throughline(stack, "nomination", "accept", key, "--if-version", "7")
    assert (version.exit_code, "VersionConflict" in version.output) == (1, True)
    assert "--id" not in version.output
    expert = mint(stack.home, role="expert", subject="synthetic-expert")
    role = throughline(stack, "nomination", "accept", key, "--token", expert)
    assert (role.exit_code, "RoleMayNot" in role.output) == (1, True)
    run(stack, "nomination", "accept", key, "--if-version", "1")
    order = throughline(stack, "nomination", "decline", key, "--ground", "duplicate")
    assert (order.exit_code, "OutOfOrder" in order.output) == (1, True)
    nothing = throughline(stack, "meeting", "show", "synthetic-nothing")
    assert (nothing.exit_code, nothing.output.splitlines()[-1]) == (1, "meeting synthetic-nothing is not on record.")


def test_a_rule_of_the_founding_note_is_cited_by_its_paragraph(stack: Stack):
    answers = "Synthetic Expert\nsynthetic@example.org\n\n"
    options = ("--institution", "Synthetic", "--category", "official", *PAPER, "--role", "focal_point:FJI")
    done = throughline(stack, "nomination", "submit", "--member", "TON", *options, input_=answers)
    assert done.exit_code == 1
    assert re.search(r"\(founding note, para\. [0-9-]+\)", output_of(done)), done.output


def test_hostile_text_is_shown_as_data(stack: Stack):
    hostile = "[bold]x[/] {0} \u202egnp.exe $(id) Ré 会议"
    key = f"words-{uuid4().hex[:8]}"
    run(stack, "call", "open", "--call", key, "--title", hostile, "--note", "a\nb")
    for words in (("call", "show", key), ("calls",)):
        shown = run(stack, *words).stdout
        assert "[bold]x[/]" in shown
        assert "\u202e" not in shown
    assert json.loads(run(stack, "call", "show", key, "--format", "json").stdout)["stream"] == f"call/{key}"


def test_a_query_of_several_services_is_put_to_each(stack: Stack):
    throughline(stack, "meeting", "hold", "synthetic-nothing")
    refusals = json.loads(run(stack, "refusals", "--limit", "5", "--format", "json").stdout)
    assert set(refusals) == set(stack.urls)
    assert "OutOfOrder" in {each["rule"] for each in refusals["meetings"]}
    table = run(stack, "refusals", "--service", "meetings").stdout
    assert table.startswith("meetings:\n")
    a_nomination(stack)
    journal = json.loads(run(stack, "journal", "--service", "nominations", "--format", "json").stdout)
    assert {"event", "leaf", "position", "proof"} <= journal["nominations"][0].keys()
    keys = run(stack, "log-keys", "--service", "meetings").stdout
    assert "throughline.local/meetings" in keys
    gone = throughline(stack, "document", "show", "0" * 64)
    assert (gone.exit_code, "is not on record" in gone.output) == (1, True)


def test_an_erased_person_is_asked_about_first(stack: Stack):
    key = a_nomination(stack)
    state = json.loads(run(stack, "nomination", "show", key, "--format", "json").stdout)["state"]
    person = state["particulars"]["person"]
    command = ("expert", "erase", person, "--reason", "Synthetic request")
    assert throughline(stack, *command, input_="n\n").exit_code == 2
    assert "ExpertErased" in run(stack, *command, input_="y\n").stdout


def test_a_document_is_stored_and_read_back(stack: Stack, tmp_path: Path):
    file = tmp_path / "paper.pdf"
    file.write_bytes(b"%PDF-1.7 synthetic " + uuid4().bytes)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    first = run(stack, "document", "put", str(file), "--service", "meetings")
    assert first.stdout == f"{digest} is stored by meetings.\n"
    again = run(stack, "document", "put", str(file), "--service", "meetings")
    assert again.stdout == f"{digest} is stored by meetings, as it was before.\n"
    assert run(stack, "document", "show", digest).stdout_bytes == file.read_bytes()
    own = run(stack, "document", "put", str(file), "--service", "nominations", "--role", "focal_point:FJI")
    assert "is stored by nominations." in own.stdout

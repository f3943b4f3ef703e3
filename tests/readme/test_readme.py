"""The README says what is: its verbs, commands, links and the trace that it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from tests.architecture.language import BEGINNINGS
from tests.cli.terminal import throughline
from tools.cli.app import app
from tools.local.stack import Stack

CHECKOUT = Path(__file__).parents[2]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
PAGES = (
    "README.md",
    *sorted(page.relative_to(CHECKOUT).as_posix() for page in (CHECKOUT / "docs").rglob("*.md")),
    *sorted(page.relative_to(CHECKOUT).as_posix() for page in (CHECKOUT / "services").glob("*/README.md")),
    "CHANGELOG.md",
)
FOLDERS = ("benchmarks", "deploy", "docs", "services", "shared", "tests", "tools")
_BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = _BLOCK.findall(README)
OF_PAGES = [
    line
    for page in PAGES
    for block in _BLOCK.findall((CHECKOUT / page).read_text(encoding="utf-8"))
    for line in block.replace("\\\n", " ").splitlines()
]
INLINE = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", README, flags=re.MULTILINE | re.DOTALL))
SNIPPETS = [*(line for block in BLOCKS for line in block.splitlines()), *INLINE]
COMMANDS = sorted({snippet for snippet in (*SNIPPETS, *OF_PAGES) if snippet.startswith("throughline ")})
VERBS = sorted({snippet.split()[1] for snippet in SNIPPETS if re.match(r"make [a-z]", snippet)})


def parsed(arguments: list[str]) -> None:
    """Take a command line apart as the program would, without running it; raises where it would not be understood."""
    command: Any = get_command(app)
    while True:
        try:
            context = command.make_context(command.name, list(arguments))
        except typer.Exit:
            return
        if not hasattr(command, "resolve_command"):
            return
        _, command, arguments = command.resolve_command(context, [*context._protected_args, *context.args])


def test_there_is_something_to_check():
    assert len(COMMANDS) > 10
    assert {"demo", "test", "up", "help", "lint"} <= set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_is_in_the_makefile(verb: str):
    assert re.search(rf"^{verb}:.*## ", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_is_parsed(line: str):
    parsed(shlex.split(re.sub(r"\$\(sed 's/\^/--key /' \S+\)", "--key KEY", line))[1:])


@pytest.mark.parametrize(
    "line", ["throughline traces --colour red", "throughline trance CED/2022/R1", "throughline trace"]
)
def test_an_unknown_command_would_be_found(line: str):
    with pytest.raises(Exception, match=r"(?i)no such|missing"):
        parsed(shlex.split(line)[1:])


@pytest.mark.parametrize("page", PAGES)
def test_each_link_leads_somewhere(page: str):
    file = CHECKOUT / page
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", file.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (file.parent / link).exists()] == []


def missing(text: str) -> list[str]:
    """Return the project's paths in backticks that lead to no file or folder; a module may go by its last parts."""
    paths = re.findall(r"`((?:" + "|".join(FOLDERS) + r")/[\w./*-]+)`", text)
    modules = set(re.findall(r"`([\w/]+\.py)`", text)) - set(paths)
    return [
        *(path for path in paths if not any(CHECKOUT.glob(path.rstrip("/")))),
        *(path for path in sorted(modules) if not any(any((CHECKOUT / each).rglob(path)) for each in FOLDERS)),
    ]


@pytest.mark.parametrize("page", PAGES)
def test_each_file_that_a_page_names_exists(page: str):
    assert missing((CHECKOUT / page).read_text(encoding="utf-8")) == []


def test_a_file_that_is_gone_would_be_found():
    there = "`shared/http/app.py`, `services/meetings/`, `http/app.py`, `app.py`, `tests/*/conftest.py`"
    assert missing(there) == []
    gone = ["tools/gone.py", "shared/gone/", "shared/*/gone.py", "gone.py", "http/gone.py"]
    assert missing(", ".join(f"`{path}`" for path in gone)) == gone


def test_the_architecture_page_walks_through_files_and_shows_each_package():
    page = (CHECKOUT / "docs/architecture.md").read_text(encoding="utf-8")
    assert len(re.findall(r"`(?:services|shared)/[\w/]+\.py`", page)) > 20
    picture = page.split("```")[1]
    packages = {
        file.parent.name for folder in ("shared", "tools") for file in (CHECKOUT / folder).glob("*/__init__.py")
    }
    assert {name for name in packages if name not in picture.split()} == set()


def refused_sentences(text: str) -> list[str]:
    """Return the sentences that begin with a word that docstrings may not begin with either; questions may."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    blocks = (" ".join(block.split()) for block in re.split(r"\n\n|\n(?=[-#|] ?|\d+\. )", prose))
    sentences = (each.lstrip("-#*|0123456789. ") for block in blocks for each in re.split(r"(?<=[.?!]) ", block))
    return [each for each in sentences if each.split(" ")[0] in BEGINNINGS and not each.endswith("?")]


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith(("docs/", "CHANGELOG"))])
def test_no_sentence_of_a_page_begins_as_a_riddle(page: str):
    assert refused_sentences((CHECKOUT / page).read_text(encoding="utf-8")) == []


def test_a_riddle_would_be_found():
    text = "# Where it lies\n\nIt is read. What is read\nis kept. Who reads? A reader.\n\n- Of two one is true.\n"
    assert [each.split()[0] for each in refused_sentences(text)] == ["Where", "What", "Of"]


def test_the_page_of_faults_names_each_fault_of_the_rig_and_no_other():
    rows = re.findall(r"^\|.*\|.*\|(.*)\|.*\|$", (CHECKOUT / "docs/chaos.md").read_text(encoding="utf-8"), re.MULTILINE)
    shown = {name for row in rows for name in re.findall(r"`([a-z0-9]+(?:_[a-z0-9]+)+|[a-z]+)`", row)}
    code = "".join(file.read_text(encoding="utf-8") for file in (CHECKOUT / "tests/faults/rig/injecting").glob("*.py"))
    faults = set(re.findall(r"^@fault\(.*?\)\ndef (\w+)", code, re.MULTILINE | re.DOTALL))
    assert shown == faults


@pytest.mark.servers
def test_the_trace_in_the_readme_is_the_printed_one(loaded: Stack):
    shown = next(block for block in BLOCKS if block.startswith("CED/2022/R1"))
    assert throughline(loaded, "trace", "CED/2022/R1").stdout == shown

"""The README says what is: its verbs, commands, links and the trace that it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from tests.cli.terminal import throughline
from tools.cli.app import app
from tools.local.stack import Stack

CHECKOUT = Path(__file__).parents[2]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
PAGES = (
    "README.md",
    "docs/record-format.md",
    "docs/bundle.md",
    "docs/auditors.md",
    "docs/privacy.md",
    "docs/events-evolve.md",
    "CHANGELOG.md",
)
BLOCKS = re.findall(r"^```\w*\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
INLINE = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", README, flags=re.MULTILINE | re.DOTALL))
SNIPPETS = [*(line for block in BLOCKS for line in block.splitlines()), *INLINE]
COMMANDS = sorted({snippet for snippet in SNIPPETS if snippet.startswith("throughline ")})
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
    parsed(shlex.split(line)[1:])


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


@pytest.mark.servers
def test_the_trace_in_the_readme_is_the_printed_one(loaded: Stack):
    shown = next(block for block in BLOCKS if block.startswith("CED/2022/R1"))
    assert throughline(loaded, "trace", "CED/2022/R1").stdout == shown

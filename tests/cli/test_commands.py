"""The table of commands names every command as it is, and a command loads only the modules it uses."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType

import pytest

import tools.cli
from benchmarks.stand_in import home_of_stand_in
from tests.cli.record_in_memory import TODAY, public_traces
from tests.cli.terminal import throughline
from tools.cli.app import load
from tools.cli.commands import COMMANDS, GROUPS, Row

HEAVY = (
    "aiokafka", "aiosmtpd", "aiosmtplib", "bson", "fastapi", "faststream", "jsonschema", "motor", "pymongo",
    "services", "shared.events", "starlette", "structlog", "tools.audit", "tools.contracts", "tools.local",
    "tools.record", "tools.replay", "tools.simulate", "uvicorn", "yaml",
)  # fmt: skip
SAYS_WHAT_IS_LOADED = """
import atexit, json, sys
out = open(sys.argv.pop(1), "w")
atexit.register(lambda: json.dump(sorted(sys.modules), out))
from tools.cli.app import app
app()
"""


def modules() -> list[ModuleType]:
    """Import every module of the command line."""
    return [import_module(module.name) for module in walk_packages(tools.cli.__path__, "tools.cli.")]


def loaded_by(folder: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run a command in a fresh interpreter; return its result and the heavy modules that it imported."""
    file = folder / "loaded.json"
    command = [sys.executable, "-c", SAYS_WHAT_IS_LOADED, str(file), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    loaded = json.loads(file.read_text())
    assert "tools.cli.app" in loaded
    return done, [name for name in loaded if name in HEAVY or name.startswith(tuple(f"{heavy}." for heavy in HEAVY))]


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.command)
def test_a_row_names_a_command_with_the_help_of_its_docstring(row: Row):
    command = load(row)
    assert command.name == row.words[-1]
    assert " ".join(command.help.split("\n\n")[0].split()) == row.help


def test_every_function_that_documents_its_exit_code_is_a_command():
    documented = {
        f"{module.__name__}:{name}"
        for module in modules()
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and "Exit code:" in (function.__doc__ or "")
    }
    assert documented == {row.target for row in COMMANDS}


def test_no_command_is_named_twice_and_every_group_has_commands():
    assert len({row.command for row in COMMANDS}) == len(COMMANDS)
    assert {row.words[0] for row in COMMANDS if len(row.words) == 2} == set(GROUPS)


@pytest.mark.parametrize("group", [(), *((group,) for group in GROUPS)])
def test_the_help_of_a_group_lists_its_commands(group: tuple[str, ...]):
    result = throughline(None, *group, "--help")
    assert result.exit_code == 0
    names = [row.words[len(group)] for row in COMMANDS if tuple(row.words[: len(group)]) == group]
    assert [name for name in names if f" {name} " not in result.output] == []


@pytest.mark.slow
@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.command)
def test_every_command_has_help(row: Row):
    result = throughline(None, *row.words, "--help")
    assert result.exit_code == 0, result.output
    assert "Exit code" in result.output


@pytest.mark.parametrize("words", [("trance",), ("audit", "verfy")])
def test_a_misspelt_command_is_bad_input_with_a_suggestion(words: tuple[str, ...]):
    result = throughline(None, *words)
    assert result.exit_code == 2
    assert "Did you mean" in result.output


@pytest.mark.slow
@pytest.mark.parametrize("words", [("--help",), ("audit", "--help"), ("trace", "--help"), ("trace", "no-reference")])
def test_help_and_a_refused_argument_load_nothing_heavy(words: tuple[str, ...], tmp_path: Path):
    _, heavy = loaded_by(tmp_path, *words)
    assert heavy == []


@pytest.mark.slow
def test_a_command_that_asks_one_service_loads_nothing_heavy(tmp_path: Path):
    answer = {"trace": public_traces()["CED/2022/R1"], "today": TODAY}
    with home_of_stand_in(tmp_path, answer) as home:
        done, heavy = loaded_by(tmp_path, "trace", "CED/2022/R1", "--home", str(home))
    assert done.returncode == 0, done.stderr
    assert "CED/2022/R1" in done.stdout
    assert heavy == []
    with home_of_stand_in(tmp_path, {"items": []}) as home:
        done, heavy = loaded_by(tmp_path, "traces", "--home", str(home))
    assert (done.returncode, heavy) == (0, []), done.stderr


@pytest.mark.slow
def test_a_heavy_module_would_be_seen(tmp_path: Path):
    assert "tools.local.stack" in loaded_by(tmp_path, "stack", "status", "--home", str(tmp_path))[1]

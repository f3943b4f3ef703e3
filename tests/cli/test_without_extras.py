"""The command line and the services where only the packages of production are installed, as in the image."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tools.files import CHECKOUT

pytestmark = pytest.mark.slow

PROGRAM = """
import sys
blocked, key = sys.argv[1].split(","), sys.argv[2]
sys.modules.update(dict.fromkeys(blocked))
import tools.console.app
from tools.cli.app import app, load
from tools.cli.commands import COMMANDS
from typer.testing import CliRunner
for name in ("meetings", "nominations", "notifications", "recommendations"):
    __import__(f"services.{name}.app")
for row in COMMANDS:
    if row.words[0] != "stack":
        load(row)
keygen = ["audit", "keygen", key, "--service", "meetings", "--deployment", "synthetic"]
for words in (["--help"], keygen, ["stack", "status"]):
    done = CliRunner().invoke(app, words)
    print(words[0], done.exit_code, done.output)
"""


def modules_of_extras() -> list[str]:
    """Return the modules of all packages that only the extras of pyproject.toml name."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    extras = {name.lower() for names in project["optional-dependencies"].values() for name in names}
    named = {re.split(r"[\[=]", name)[0].lower() for name in project["dependencies"]}
    modules = {
        module
        for module, packages in packages_distributions().items()
        if {package.lower() for package in packages} & (extras - named) and module.isidentifier()
    }
    assert {"aiosmtpd", "jgo", "pytest"} <= modules
    return sorted(modules)


def test_everything_but_the_local_stack_runs(tmp_path: Path) -> None:
    key = tmp_path / "meetings.key"
    command = [sys.executable, "-c", PROGRAM, ",".join(modules_of_extras()), str(key)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "\naudit 0 throughline.synthetic/meetings" in done.stdout
    assert key.exists()
    assert done.stdout.startswith("--help 0 ")
    assert "\nstack 1 `throughline stack status` needs aiosmtpd, of throughline[local]" in done.stdout

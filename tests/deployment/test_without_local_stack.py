"""The command line in the image, which is no package, and lacks the local stack and what only that needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.files import CHECKOUT

WITHOUT = "import sys; sys.modules.update(dict.fromkeys(('tools.local', 'aiosmtpd', 'jgo')))\n"
LOAD_ALL = """
from tools.cli.app import load
from tools.cli.commands import COMMANDS
for row in COMMANDS:
    if row.words[0] != "stack":
        load(row)
print(len(COMMANDS))
"""
OF_THE_VERSION = Path("shared/runtime/version.py")
STACK = """
from tools.cli.app import app
app(["stack", "up"])
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT + code]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)


def test_every_command_but_those_of_the_local_stack_is_there() -> None:
    loaded = run(LOAD_ALL)
    assert (loaded.returncode, loaded.stderr) == (0, "")
    assert int(loaded.stdout) > 30


def test_the_local_stack_is_named_as_absent() -> None:
    absent = run(STACK)
    assert absent.returncode != 0
    assert "There is no local stack in this image" in absent.stderr
    assert "Traceback" not in absent.stderr


def test_one_module_alone_asks_for_the_package() -> None:
    modules = [file for folder in ("services", "shared", "tools") for file in (CHECKOUT / folder).rglob("*.py")]
    asking = {file.relative_to(CHECKOUT) for file in modules if "importlib.metadata" in file.read_text()}
    assert asking == {OF_THE_VERSION}

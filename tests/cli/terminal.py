"""Runs `throughline` as it is typed, against a stack."""

from __future__ import annotations

import os
from pathlib import Path
from unittest.mock import patch

from typer.testing import CliRunner, Result

from tools.cli.app import app
from tools.local.stack import Stack

PUBLIC_RECORD = Path(__file__).parents[2] / "shared/reference/public_record.yaml"
NO_STACK = Path("/nonexistent/throughline")


def throughline(stack: Stack | None, *arguments: str, input_: str | None = None, **environment: str) -> Result:
    """Run a command without this process's own THROUGHLINE variables, and return its result."""
    home = stack.home if stack else NO_STACK
    own = {name: value for name, value in os.environ.items() if not name.startswith("THROUGHLINE_")}
    with patch.dict(os.environ, own | {"COLUMNS": "200"}, clear=True):
        return CliRunner().invoke(app, [*arguments], input=input_, env={"THROUGHLINE_HOME": str(home), **environment})


def output_of(result: Result) -> str:
    """Return the output of a command, on one line."""
    return " ".join(result.output.split())

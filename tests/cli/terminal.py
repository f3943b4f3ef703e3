"""`throughline` as it is typed, against a stack."""

from __future__ import annotations

import os
from pathlib import Path
from unittest.mock import patch

from typer.testing import CliRunner, Result

from tools.cli.app import app
from tools.local.stack import Stack

PUBLIC_RECORD = Path(__file__).parents[2] / "shared/reference/public_record.yaml"
NO_STACK = Path("/nonexistent/throughline")


def throughline(stack: Stack | None, *arguments: str, **environment: str) -> Result:
    """Run a command and return what came of it; what is in this process's own environment does not count."""
    home = stack.home if stack else NO_STACK
    own = {name: value for name, value in os.environ.items() if not name.startswith("THROUGHLINE_")}
    with patch.dict(os.environ, own | {"COLUMNS": "200"}, clear=True):
        return CliRunner().invoke(app, [*arguments], env={"THROUGHLINE_HOME": str(home), **environment})


def said(result: Result) -> str:
    """Return what a command said, on one line."""
    return " ".join(result.output.split())

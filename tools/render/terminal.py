"""Output of a command: JSON for scripts, a console as wide as a page for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import typer

if TYPE_CHECKING:
    from rich.console import Console


def print_json(content: Any) -> None:
    """Print indented JSON."""
    typer.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())


def console() -> Console:
    """Return a console as wide as its terminal, at most as wide as a page; a page where there is no terminal."""
    from rich.console import Console

    from tools.render.page import WIDTH

    terminal = Console()
    return Console(width=min(terminal.width, WIDTH)) if terminal.is_terminal else Console(width=WIDTH)

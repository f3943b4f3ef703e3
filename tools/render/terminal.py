"""Output of a command: JSON for scripts, a console as wide as a page for people."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import orjson
import typer

from tools.client.errors import BadInput
from tools.client.printable import printable, printable_json, printable_lines

if TYPE_CHECKING:
    from tools.render.console import Console


def print_json(content: Any) -> None:
    """Print indented JSON, control characters escaped."""
    typer.echo(printable_json(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode()))


def print_line(text: str) -> None:
    """Print one line; what others wrote in it cannot end it, nor move the cursor."""
    typer.echo(printable(text))


def print_page(text: str) -> None:
    """Print lines as they were rendered, without a line break at the end."""
    typer.echo(printable_lines(text), nl=False)


def print_bytes(content: bytes) -> None:
    """Print bytes as they are. Raises BadInput on a terminal, which they might control."""
    if sys.stdout.isatty():
        raise BadInput(
            "These bytes are no text: direct them into a file, as in throughline document show DIGEST > FILE."
        )
    typer.echo(content, nl=False)


def console() -> Console:
    """Return a console as wide as its terminal, at most as wide as a page; a page where there is no terminal."""
    from tools.render.console import Console
    from tools.render.page import WIDTH

    terminal = Console()
    return Console(width=min(terminal.width, WIDTH)) if terminal.is_terminal else Console(width=WIDTH)

"""How a command ends when it cannot do what was asked: one sentence, and an exit code that scripts can trust."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

REFUSED, BAD_INPUT, UNREACHABLE = 1, 2, 3
_errors = Console(stderr=True)


class Failure(Exception):
    """A command that failed."""

    code = REFUSED


class Refused(Failure):
    """A service refused what was asked."""


class BadInput(Failure):
    """What was given cannot be used."""

    code = BAD_INPUT


class Unreachable(Failure):
    """A service or server did not answer."""

    code = UNREACHABLE


@contextmanager
def exits() -> Iterator[None]:
    """End the command with a failure's sentence and exit code."""
    try:
        yield
    except Failure as failure:
        say(str(failure))
        raise typer.Exit(failure.code) from None


def say(line: str) -> None:
    """Print a line to standard error as it is."""
    _errors.print(line, markup=False, highlight=False, soft_wrap=True)

"""Failures of a command: one sentence on standard error, and an exit code that scripts can trust."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from tools.client.printable import printable_lines
from tools.files import NotAFile

REFUSED, BAD_INPUT, UNREACHABLE, STOPPED = 1, 2, 3, 130


class Failure(Exception):
    """A failure that ends a command."""

    code = REFUSED


class Refused(Failure):
    """A service's refusal of a request."""


class OutcomeUnknown(Refused):
    """A failure of a service after which nobody knows whether it did what was requested."""


class BadInput(Failure):
    """An argument, option or file that the command cannot use."""

    code = BAD_INPUT


class Unreachable(Failure):
    """A service or server that does not answer."""

    code = UNREACHABLE


class StoppedByUser(Failure):
    """A long task that a person ended with Ctrl-C."""

    code = STOPPED


class CommandRefused(Exception):
    """A service's refusal of a domain command: its rule, and its sentence."""

    def __init__(self, rule: str, says: str) -> None:
        super().__init__(f"{rule}: {says}")
        self.rule = rule
        self.says = says


@contextmanager
def exits() -> Iterator[None]:
    """End the command with a failure's sentence and exit code."""
    try:
        yield
    except NotAFile as fault:
        say(f"{fault}.")
        raise typer.Exit(BAD_INPUT) from None
    except Failure as failure:
        say(str(failure))
        raise typer.Exit(failure.code) from None


def say(line: str) -> None:
    """Print to standard error; a text of several lines goes on indented, so that none of them passes for another's."""
    typer.echo(printable_lines(line).replace("\n", "\n  "), err=True)

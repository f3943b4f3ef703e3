"""Progress lines of the local stack, and the error of a start that failed."""

import sys
from collections.abc import Callable

Say = Callable[[str], None]


class CannotStart(Exception):
    """A failed start of the local stack; the text names what is missing and how to get it."""


def say(line: str) -> None:
    """Print one progress line to standard error."""
    print(line, file=sys.stderr, flush=True)

"""Progress lines, and the error of a server or a folder that could not be made ready."""

import sys
from collections.abc import Callable

Say = Callable[[str], None]


class CannotStart(Exception):
    """A server, stack or folder that could not be made ready; the text names what is missing and how to get it."""


def say(line: str) -> None:
    """Print one progress line to standard error."""
    print(line, file=sys.stderr, flush=True)

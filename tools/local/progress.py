"""What the local stack says while it works, and how it says that it cannot."""

import sys
from collections.abc import Callable

Say = Callable[[str], None]


class CannotStart(Exception):
    """The local stack cannot start; the text says what is missing and how to get it."""


def say(line: str) -> None:
    """Print one line of progress to standard error."""
    print(line, file=sys.stderr, flush=True)

"""The limit of every wait in a test: a guard against a hang, far above what a busy machine takes."""

from __future__ import annotations

import time
from collections.abc import Callable

AT_MOST_SECONDS = 300.0


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds. Raises AssertionError after the limit."""
    end = time.monotonic() + AT_MOST_SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)

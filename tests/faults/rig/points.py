"""Points inside a service's process at which the rig may break it: armed by a file, once or while it lies there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, get_args

FOLDER = "RIG_POINTS"
Point = Literal[
    "ledger stored",
    "half published",
    "published",
    "batch in hand",
    "heard, not settled",
    "states stored",
    "effects stored",
    "offsets stored",
    "handler runs long",
    "handler is running",
    "handled slowly",
    "batches fail",
    "batch failed",
    "older code",
    "composing slowly",
    "lease ignored",
    "led without lease",
    "stopped before insert",
    "killed after insert",
    "clock an hour back",
    "killed before sending",
    "killed after sending",
]


def every_point() -> tuple[Point, ...]:
    """Return all points."""
    return get_args(Point)


class Points:
    """The points of one process, as both sides see them: files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @classmethod
    def of_this_process(cls) -> Points:
        """Return the points of the process that asks."""
        return cls(Path(os.environ[FOLDER]))

    def arm(self, point: Point, told: str = "") -> None:
        """Let the process break at this point the next time it comes there, or as long as it is armed.

        Some are armed by the process itself, to tell that it came there.
        """
        partial = self._folder / f".{point}"
        partial.write_text(told)
        partial.rename(self._folder / point)

    def disarm(self, point: Point) -> None:
        """Let the process pass."""
        (self._folder / point).unlink(missing_ok=True)

    def armed(self, point: Point) -> bool:
        """Tell whether the point is armed."""
        return (self._folder / point).exists()

    def told(self, point: Point) -> str | None:
        """Return what was said when it was armed; None if it is not."""
        try:
            return (self._folder / point).read_text()
        except FileNotFoundError:
            return None

    def taken(self, point: Point) -> bool:
        """Take the order, once: True for the first who asks after it was armed."""
        try:
            (self._folder / point).unlink()
        except FileNotFoundError:
            return False
        return True

    @contextmanager
    def armed_while(self, point: Point, told: str = "") -> Iterator[None]:
        """Keep a point armed during a block."""
        self.arm(point, told)
        try:
            yield
        finally:
            self.disarm(point)

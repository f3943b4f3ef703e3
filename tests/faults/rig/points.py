"""Points in a service's code at which the rig breaks it: a file arms a point, once or for as long as it exists."""

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
    "consumed, not flushed",
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
    """The points of one process: files in a folder that the process shares with the rig."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @classmethod
    def of_this_process(cls) -> Points:
        """Return the points of the current process."""
        return cls(Path(os.environ[FOLDER]))

    def arm(self, point: Point, detail: str = "") -> None:
        """Arm a point: the process breaks there the next time, or each time while it is armed.

        The process itself arms some points, to show that it has reached them.
        """
        partial = self._folder / f".{point}"
        partial.write_text(detail)
        partial.rename(self._folder / point)

    def disarm(self, point: Point) -> None:
        """Disarm a point, if it is armed."""
        (self._folder / point).unlink(missing_ok=True)

    def armed(self, point: Point) -> bool:
        """Tell whether the point is armed."""
        return (self._folder / point).exists()

    def detail(self, point: Point) -> str | None:
        """Return the detail that a point was armed with, or None if it is not armed."""
        try:
            return (self._folder / point).read_text()
        except FileNotFoundError:
            return None

    def claim(self, point: Point) -> bool:
        """Disarm a point atomically; return True for the first caller since it was armed."""
        try:
            (self._folder / point).unlink()
        except FileNotFoundError:
            return False
        return True

    @contextmanager
    def armed_while(self, point: Point, detail: str = "") -> Iterator[None]:
        """Keep a point armed during a block."""
        self.arm(point, detail)
        try:
            yield
        finally:
            self.disarm(point)

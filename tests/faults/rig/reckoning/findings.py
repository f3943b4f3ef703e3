"""Findings at the end of a run, by name, and the figures that were compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

SHOWN = 40


@dataclass
class Findings:
    """Everything that is lost, doubled or stuck. All must be empty."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    figures: dict[str, dict[str, int]] = field(default_factory=dict)

    def count(self, row: str, service: str, number: int) -> None:
        """Put a figure into the table."""
        self.figures.setdefault(row, {})[service] = number

    def lose(self, *what: str) -> None:
        """Name what is not where it must be, or not what it must be."""
        self.lost.extend(what)

    def double(self, *what: str) -> None:
        """Name what took effect more than once."""
        self.doubled.extend(what)

    def stick(self, *what: str) -> None:
        """Name what did not come to its end."""
        self.stuck.extend(what)

    @property
    def none(self) -> bool:
        """True if there are no findings."""
        return not (self.lost or self.doubled or self.stuck)

    def named(self) -> list[str]:
        """Return every finding in words, the first of each kind."""
        kinds = (("lost", self.lost), ("doubled", self.doubled), ("stuck", self.stuck))
        lines = [f"{kind}: {what}" for kind, found in kinds for what in found[:SHOWN]]
        more = [f"{kind}: and {len(found) - SHOWN} more" for kind, found in kinds if len(found) > SHOWN]
        return lines + more


def repeated(things: Iterable[object]) -> list[object]:
    """Return what occurs more than once."""
    return [thing for thing, times in Counter(things).items() if times > 1]

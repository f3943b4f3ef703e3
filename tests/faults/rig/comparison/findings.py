"""The findings at the end of a run, and the compared figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

SHOWN = 40


@dataclass
class Findings:
    """Everything lost, doubled, stuck or wrongly believed, in words (all must be empty); and figures by service."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    believed: list[str] = field(default_factory=list)
    figures: dict[str, dict[str, int]] = field(default_factory=dict)

    def count(self, row: str, service: str, number: int) -> None:
        """Add a figure to the table."""
        self.figures.setdefault(row, {})[service] = number

    def lose(self, *findings: str) -> None:
        """Add things that are missing, or differ from the expected."""
        self.lost.extend(findings)

    def double(self, *findings: str) -> None:
        """Add things that took effect more than once."""
        self.doubled.extend(findings)

    def stick(self, *findings: str) -> None:
        """Add things that did not finish."""
        self.stuck.extend(findings)

    def believe(self, *findings: str) -> None:
        """Add things that were believed, and that nobody recorded."""
        self.believed.extend(findings)

    @property
    def none(self) -> bool:
        """True if there are no findings."""
        return not (self.lost or self.doubled or self.stuck or self.believed)

    def named(self) -> list[str]:
        """Return the findings, each with its kind; of each kind at most `SHOWN`, and the number of the rest."""
        kinds = (("lost", self.lost), ("doubled", self.doubled), ("stuck", self.stuck), ("believed", self.believed))
        lines = [f"{kind}: {finding}" for kind, findings in kinds for finding in findings[:SHOWN]]
        more = [f"{kind}: and {len(findings) - SHOWN} more" for kind, findings in kinds if len(findings) > SHOWN]
        return lines + more


def repeated(things: Iterable[object]) -> list[object]:
    """Return the things that occur more than once."""
    return [thing for thing, times in Counter(things).items() if times > 1]

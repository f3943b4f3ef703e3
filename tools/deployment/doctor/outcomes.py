"""The outcomes of checks: fine, wrong with what to do about it, or not checked with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

State = Literal["wrong", "not checked", "fine"]
STATES: tuple[State, ...] = ("wrong", "not checked", "fine")
Fault = tuple[str, str]
"""A fault in words, and what to do about it."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of one check: what it looked at, what it saw there, and what to do about it."""

    check: str
    subject: str
    state: State
    says: str
    cure: str = ""


class Check(NamedTuple):
    """A check by its name, and the thing that it looks at."""

    name: str
    subject: str

    def fine(self, says: str) -> Outcome:
        """Return that nothing is wrong."""
        return Outcome(self.name, self.subject, "fine", says)

    def wrong(self, says: str, cure: str) -> Outcome:
        """Return a finding."""
        return Outcome(self.name, self.subject, "wrong", says, cure)

    def not_checked(self, why: str) -> Outcome:
        """Return that the check could not be made, which is never the same as fine."""
        return Outcome(self.name, self.subject, "not checked", why)

    def judge(self, faults: Iterable[Fault], fine: str) -> Iterator[Outcome]:
        """Yield a finding for each fault; where there is none, that all is fine."""
        outcomes = [self.wrong(says, cure) for says, cure in faults]
        yield from outcomes or [self.fine(fine)]


def runbook(alert: str) -> str:
    """Return the page that says what to do when an alert goes off."""
    return f"docs/runbooks/{alert}.md"

"""The synthetic world that lifecycles share: groups, a register, sessions, and the platform."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from shared.domain.aggregate import Command
from shared.domain.members import MEMBERS
from tools.simulate.chance import DAY, YEAR, Chance, on
from tools.simulate.commits import SimulatedCommit
from tools.simulate.platform import Platform
from tools.simulate.wording import THEMES

START = on(2001)
QUARTER = YEAR // 4
Lifecycle = Iterator[int]
"""The lifecycle of one stream: each step executes commands now and yields the time of the next step."""


@dataclass
class Group:
    """An expert group: its members, its themes and priorities, its latest meetings with their decisions."""

    name: str
    seat: tuple[str, ...]
    themes: tuple[str, ...]
    offset: int
    experts: list[str] = field(default_factory=list)
    priorities: list[str] = field(default_factory=list)
    held: deque[str] = field(default_factory=lambda: deque(maxlen=4))
    decisions: dict[str, str] = field(default_factory=dict)
    deliverables: deque[str] = field(default_factory=deque)
    recommendations: list[str] = field(default_factory=list)
    meetings: int = 0

    def meets_after(self, at: int) -> int:
        """Return the time of the group's first quarterly meeting after `at`."""
        return at + QUARTER - (at - START - self.offset) % QUARTER


@dataclass
class RegisteredInstrument:
    """An instrument in the register, with its provisions."""

    instrument: str
    cite: str
    adopted_at: int
    provisions: list[str] = field(default_factory=list)


class World:
    """The shared state of all lifecycles. `now` is the time of the current step, in milliseconds."""

    def __init__(self, seed: int, groups: int) -> None:
        self.chance = Chance(seed, "world")
        self.platform = Platform(seed)
        self.now = START
        self.started: list[tuple[int, Lifecycle]] = []
        self.register: dict[str, list[RegisteredInstrument]] = {theme: [] for theme in THEMES}
        self.sessions: list[tuple[int, int]] = []
        self.references: dict[int, int] = {}
        self.last_number = 0
        members = tuple(MEMBERS)
        self.groups = [self._group(number, members, groups) for number in range(groups)]

    def _group(self, number: int, members: tuple[str, ...], groups: int) -> Group:
        first = number * 17 % len(members)
        seat = tuple(members[(first + step) % len(members)] for step in range(31))
        themes = tuple(self.chance.some(THEMES, 2))
        return Group(f"syn-group-{number + 1}", seat, themes, offset=20 * DAY + number * 50 * DAY // max(1, groups))

    def start(self, lifecycle: Lifecycle, after: int = 0) -> None:
        """Start a lifecycle, now or `after` milliseconds later."""
        self.started.append((self.now + after, lifecycle))

    def execute(self, stream: str, command: Command, role: str = "secretariat", **caller: Any) -> SimulatedCommit:
        """Execute a command now."""
        return self.platform.execute(stream, command, self.now, role, **caller)

    def next_number(self) -> int:
        """Return a new number."""
        self.last_number += 1
        return self.last_number

    def session_after(self, at: int) -> int | None:
        """Return the next recorded session of the Committee that begins after `at`; None if there is none."""
        return next((number for number, begins in self.sessions if begins > at), None)

    def session_begins(self, session: int) -> int:
        """Return the first millisecond of a session."""
        return next(begins for number, begins in self.sessions if number == session)

    def days(self, low: int, high: int) -> int:
        """Return a random time between `low` and `high` days from now."""
        return self.now + self.chance.between(low * DAY, high * DAY)

    def soon(self) -> int:
        """Return a random time within the next 40 minutes."""
        return self.now + self.chance.between(20_000, 2_400_000)

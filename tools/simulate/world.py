"""The made-up world that the lives of streams share: groups, a register, sessions; and what each life may do."""

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

START = on(2031)
QUARTER = YEAR // 4
Lifecycle = Iterator[int]
"""What happens to one stream: each step does something now and yields the moment of the next."""


@dataclass
class Group:
    """An expert group: its members, what it works on, and the meetings that it held of late."""

    name: str
    seat: tuple[str, ...]
    themes: tuple[str, ...]
    offset: int
    experts: list[str] = field(default_factory=list)
    priorities: list[str] = field(default_factory=list)
    held: deque[str] = field(default_factory=lambda: deque(maxlen=4))
    deliverables: deque[str] = field(default_factory=deque)
    recommendations: list[str] = field(default_factory=list)
    meetings: int = 0

    def meets_after(self, at: int) -> int:
        """Return the moment of the group's first quarterly meeting after a moment."""
        return at + QUARTER - (at - START - self.offset) % QUARTER


@dataclass
class RegisteredInstrument:
    """An instrument in the register, its provisions, and whether another took its place."""

    instrument: str
    cite: str
    adopted_at: int
    provisions: list[str] = field(default_factory=list)


class World:
    """Everything that lives know of each other. `now` is the moment of the step at hand, in milliseconds."""

    def __init__(self, seed: int, groups: int) -> None:
        self.chance = Chance(seed, "world")
        self.platform = Platform(seed)
        self.now = START
        self.started: list[tuple[int, Lifecycle]] = []
        self.register: dict[str, list[RegisteredInstrument]] = {theme: [] for theme in THEMES}
        self.sessions: list[tuple[int, int]] = []
        self.references: dict[int, int] = {}
        self.counted = 0
        members = tuple(MEMBERS)
        self.groups = [self._group(number, members, groups) for number in range(groups)]

    def _group(self, number: int, members: tuple[str, ...], of: int) -> Group:
        first = number * 17 % len(members)
        seat = tuple(members[(first + step) % len(members)] for step in range(31))
        themes = tuple(self.chance.some(THEMES, 2))
        return Group(f"syn-group-{number + 1}", seat, themes, offset=20 * DAY + number * 50 * DAY // max(1, of))

    def start(self, life: Lifecycle, after: int = 0) -> None:
        """Let a life begin, at once or so much later."""
        self.started.append((self.now + after, life))

    def execute(self, stream: str, command: Command, role: str = "secretariat", **who: Any) -> SimulatedCommit:
        """Carry a command out now."""
        return self.platform.execute(stream, command, self.now, role, **who)

    def next_number(self) -> int:
        """Return a number that was not given before."""
        self.counted += 1
        return self.counted

    def session_after(self, at: int) -> int | None:
        """Return the next session of the Committee that is on record and begins after a moment."""
        return next((number for number, begins in self.sessions if begins > at), None)

    def session_begins(self, session: int) -> int:
        """Return when a session begins."""
        return next(begins for number, begins in self.sessions if number == session)

    def days(self, low: int, high: int) -> int:
        """Return a moment some days from now, at some hour."""
        return self.now + self.chance.between(low * DAY, high * DAY)

    def soon(self) -> int:
        """Return a moment within the hour: the next thing at the same desk."""
        return self.now + self.chance.between(20_000, 2_400_000)

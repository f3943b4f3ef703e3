"""The clients of one thread, one for each role."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.faults.rig.acknowledged import Acknowledged
from tests.faults.rig.client import Client, Gate
from tests.faults.rig.platform import Platform

MEMBERS = ("FJI", "BTN", "NPL", "TUV")


@dataclass
class Desks:
    """The clients of one thread by role and member, and its random generator."""

    platform: Platform
    acknowledged: Acknowledged
    gate: Gate
    chance: random.Random
    pace: float = 0.0
    _clients: dict[tuple[str, str | None], Client] = field(default_factory=dict)

    def of(self, role: str, member: str | None = None) -> Client:
        """Return the client of a role, and of a member if one is given."""
        if (role, member) not in self._clients:
            self._clients[role, member] = Client(
                self.platform, self.acknowledged, role, member, self.gate, pace=self.pace
            )
        return self._clients[role, member]

    @property
    def secretariat(self) -> Client:
        """The secretariat's client."""
        return self.of("secretariat")

    def likely(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.chance.random() < probability

"""A fault: its number in the list, its name, the services that it touches, and how it is injected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.rig.reckoning.projected import hearers_of
from tests.faults.rig.rig import Rig
from tools.local.stack import ALL_FOUR

Inject = Callable[[Rig, str], None]
EVERYTHING = frozenset(ALL_FOUR)


@dataclass(frozen=True)
class Fault:
    """One way to break the platform, at one of the `services`; a fault of the servers touches everything."""

    number: str
    name: str
    inject: Inject
    services: tuple[str, ...]
    touches_all: bool = False
    touches_hearers: bool = False
    needs_two: bool = False

    def touches(self, service: str) -> frozenset[str]:
        """Return the services that nothing else may be done to meanwhile."""
        if self.touches_all:
            return EVERYTHING
        return frozenset({service, *(hearers_of(service) if self.touches_hearers else ())})

    def at(self, service: str) -> str:
        """Say what befalls, and where."""
        return f"{self.number:>4}  {self.name}" + ("" if self.touches_all else f" ({service})")


FAULTS: dict[str, Fault] = {}


def fault(
    number: str,
    name: str,
    *services: str,
    touches_all: bool = False,
    touches_hearers: bool = False,
    needs_two: bool = False,
) -> Callable[[Inject], Inject]:
    """Enter a function among the faults. Without services it may befall any of the four."""

    def entered(inject: Inject) -> Inject:
        befalls = services or ALL_FOUR
        FAULTS[inject.__name__] = Fault(number, name, inject, befalls, touches_all, touches_hearers, needs_two)
        return inject

    return entered

"""A fault: its number in the list, its name, the services that it touches, and the function that injects it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.rig.comparison.projected import consumers_of
from tests.faults.rig.rig import Rig
from tools.local.stack import ALL_FOUR

Inject = Callable[[Rig, str], None]
EVERYTHING = frozenset(ALL_FOUR)


@dataclass(frozen=True)
class Fault:
    """One way to break the platform, at one of the `services`; a fault of the servers touches all services."""

    number: str
    name: str
    inject: Inject
    services: tuple[str, ...]
    touches_all: bool = False
    touches_consumers: bool = False
    needs_two: bool = False

    def touches(self, service: str) -> frozenset[str]:
        """Return the services at which no other fault may be injected meanwhile."""
        if self.touches_all:
            return EVERYTHING
        return frozenset({service, *(consumers_of(service) if self.touches_consumers else ())})

    def at(self, service: str) -> str:
        """Return a line for the log: the number, the name and the service."""
        return f"{self.number:>4}  {self.name}" + ("" if self.touches_all else f" ({service})")


FAULTS: dict[str, Fault] = {}


def fault(
    number: str,
    name: str,
    *services: str,
    touches_all: bool = False,
    touches_consumers: bool = False,
    needs_two: bool = False,
) -> Callable[[Inject], Inject]:
    """Register a function as a fault. Without `services` it may be injected at any of the four."""

    def register(inject: Inject) -> Inject:
        at = services or ALL_FOUR
        FAULTS[inject.__name__] = Fault(number, name, inject, at, touches_all, touches_consumers, needs_two)
        return inject

    return register

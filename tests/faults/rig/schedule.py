"""Which faults, when: each once and quickly; or at random for so many minutes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from tests.faults.rig.injecting import histories, mail, poison, processes, races, servers
from tests.faults.rig.injecting.fault import FAULTS, Fault
from tests.faults.rig.rig import Rig
from tests.faults.rig.run import Befalls, Schedule

HOMES = (processes, servers, mail, races, poison, histories)
TWO_AT_ONCE = 0.4

SHORT: tuple[tuple[str, ...], ...] = (
    (
        "relay_killed_after_ledger recommendations",
        "killed_after_effects meetings",
        "relay_killed_after_publishing nominations",
    ),
    ("mongod_killed",),
    ("broker_killed",),
)


def each_once(rig: Rig) -> Iterator[Sequence[Befalls]]:
    """Go through the short list: what stands in one row is done at the same time."""
    for row in SHORT:
        yield [_befalls(named) for named in row]


def _befalls(named: str) -> Befalls:
    name, _, service = named.partition(" ")
    fault = FAULTS[name]
    return fault, service or fault.services[0]


def at_random(minutes: float, only: Sequence[str] = ()) -> Schedule:
    """Return a schedule of random faults, one or two at a time, each at least once if there is time."""

    def schedule(rig: Rig) -> Iterator[Sequence[Befalls]]:
        until = time.monotonic() + 60 * minutes
        rig.platform.add_all()
        due: list[Fault] = []
        while time.monotonic() < until:
            if len(due) < 2:
                fresh = [FAULTS[name] for name in only or FAULTS]
                rig.chance.shuffle(fresh)
                due += fresh
            yield _some(rig, due)

    return schedule


def _some(rig: Rig, due: list[Fault]) -> list[Befalls]:
    """Take the next fault, and sometimes one that can befall another service at the same time."""
    fault = due.pop(0)
    chosen = [(fault, rig.chance.choice(fault.services))]
    if rig.chance.random() < TWO_AT_ONCE:
        taken = fault.touches(chosen[0][1])
        for other in due:
            free = [service for service in other.services if not other.touches(service) & taken]
            if free:
                due.remove(other)
                return [*chosen, (other, rig.chance.choice(free))]
    return chosen

"""The rig: the platform under load, and the actions that its faults share."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from tests.faults.rig.acknowledged import Acknowledged
from tests.faults.rig.client import Client
from tests.faults.rig.comparison.findings import Findings
from tests.faults.rig.comparison.projected import consumers_of
from tests.faults.rig.instance import Instance
from tests.faults.rig.load import Load
from tests.faults.rig.patience import AT_MOST
from tests.faults.rig.platform import Platform
from tests.faults.rig.points import Point
from tests.faults.rig.work.canaries import canary
from tests.faults.rig.work.desks import Desks
from tools.deployment import grants
from tools.local.messages import Say

Documents = Database[dict[str, Any]]


@dataclass
class Rig:
    """The platform, its clients, and the findings so far. In a `long` run faults last longer."""

    platform: Platform
    load: Load
    acknowledged: Acknowledged
    findings: Findings
    chance: random.Random
    say: Say
    long: bool = False
    injected: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def desks(self) -> Desks:
        """Return clients for one thread, which the gate of the load does not hold back."""
        chance = random.Random(self.chance.random())
        return Desks(self.platform, self.acknowledged, type(self.load.gate)(), chance)

    def client(self, role: str = "secretariat", at: Instance | None = None) -> Client:
        """Return a client of any instance, or of the one given."""
        return Client(self.platform, self.acknowledged, role, at=at.url if at else None)

    def expect(self, holds: bool, otherwise: str) -> None:
        """Record a finding as stuck, if a condition does not hold."""
        if not holds:
            with self._lock:
                self.findings.stick(otherwise)

    def await_that(self, holds: Callable[[], bool], otherwise: str, seconds: float = AT_MOST) -> bool:
        """Wait until a condition holds; record a finding as stuck, if it does not in time."""
        until = time.monotonic() + seconds
        while not (held := holds()) and time.monotonic() < until:
            time.sleep(0.1)
        self.expect(held, f"{otherwise} (waited {seconds:.0f} s)")
        return held

    @contextmanager
    def database(self, service: str) -> Iterator[Documents]:
        """Open a service's database as the administrator, past all proxies."""
        with MongoClient[dict[str, Any]](
            self.platform.stack.mongodb_admin_uri, serverSelectionTimeoutMS=30_000
        ) as client:
            yield client[grants.database(service)]

    def broken_at(
        self, service: str, point: Point, within: float = AT_MOST, meanwhile: Callable[[], None] = lambda: None
    ) -> None:
        """Arm a point in each instance of a service, wait until one dies there, and restart it."""
        instances = [instance for instance in self.platform.instances[service] if instance.running]
        for instance in instances:
            instance.points.arm(point)
        meanwhile()
        until = time.monotonic() + within
        while all(instance.running for instance in instances) and time.monotonic() < until:
            time.sleep(0.02)
        for instance in instances:
            instance.points.disarm(point)
        time.sleep(0.1)
        died = [instance for instance in instances if not instance.running]
        self.expect(bool(died), f"{service} never reached the point '{point}'")
        self.restart(*died)

    def canary(self, service: str) -> None:
        """Send a command to a service, and wait until each consuming service shows its event."""
        key = self.load.world.key("canary")
        path, body, stream = canary(service, key)
        given = self.client().send(service, path, **body)
        for consumer in consumers_of(service):
            self.await_that(
                lambda consumer=consumer: self.version(consumer, stream) >= given.version,  # type: ignore[misc]
                f"{stream} of {service} is not visible in {consumer}",
            )

    def version(self, service: str, stream: str) -> int:
        """Return the version of a stream that a service shows, or 0 if it shows none."""
        with self.database(service) as database:
            state = database["states"].find_one({"_id": stream}, {"version": 1})
        return int(state["version"]) if state else 0

    def supervise(self, seconds: float = AT_MOST) -> None:
        """Restart instances that exit, as a supervisor does, until all are ready."""
        until = time.monotonic() + seconds
        while not all(each.running and each.ready() for each in self.platform.every()):
            for instance in [each for each in self.platform.every() if not each.running]:
                instance.start()
            if time.monotonic() > until:
                late = [each.name for each in self.platform.every() if not each.ready()]
                self.expect(False, f"not ready within {seconds:.0f} s: {', '.join(late)}")
                return
            time.sleep(0.5)

    def restart(self, *instances: Instance) -> None:
        """Start those of the instances that do not run, and wait until they are ready."""
        stopped = [instance for instance in instances if not instance.running]
        for instance in stopped:
            instance.start()
        for instance in stopped:
            instance.await_ready()

"""One stream, at which the rig aims past its relay, and what must become of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.faults.rig.forging import Forger, Record
from tests.faults.rig.patience import AT_MOST
from tests.faults.rig.reckoning.projected import hearers_of
from tests.faults.rig.reckoning.settling import heads_of, published_of
from tests.faults.rig.rig import Rig
from tests.faults.rig.work import recommending


@dataclass
class Stream:
    """A stream of the rig's own; `letters` are the records that the rig has put on its topic."""

    rig: Rig
    service: str
    name: str
    letters: dict[str, Record] = field(default_factory=dict)

    @classmethod
    def begun(cls, rig: Rig) -> Stream:
        """Register an instrument with two provisions, and wait until everybody has heard of it."""
        instrument = recommending.an_instrument(rig.desks(), rig.load.world, shared=False)
        stream = cls(rig, "recommendations", f"instrument/{instrument}")
        stream.everywhere(stream.is_current, "does not hear of it")
        return stream

    @property
    def hearers(self) -> list[str]:
        """The services that hear of it."""
        return hearers_of(self.service)

    def last_commit(self) -> dict[str, Any]:
        """Return its last commit."""
        with self.rig.database(self.service) as database:
            found = database["commits"].find_one({"_id.s": self.name}, sort=[("_id", -1)])
        assert found is not None
        return found

    def last_bytes(self) -> bytes:
        """Return its last event."""
        return bytes(self.last_commit()["events"][-1])

    def goes_on(self) -> None:
        """Append a true event to an instrument."""
        instrument = self.name.partition("/")[2]
        provision = f"{instrument}/{self.rig.load.world.number()}"
        recommending.a_provision(self.rig.desks(), self.rig.load.world, instrument, provision, shared=False)

    def put(self, *records: Record) -> None:
        """Put records on its topic that the relay never published."""
        placed = Forger(self.rig.platform.stack.kafka, self.service).put(*records)
        self.rig.injected.update(placed)
        self.letters |= placed

    def everywhere(self, holds: Callable[[str], bool], otherwise: str) -> None:
        """Wait until something holds in every service that hears of it."""
        for service in self.hearers:
            self.rig.await_that(lambda of=service: holds(of), f"{self.name}: {service} {otherwise}")  # type: ignore[misc]

    def is_at(self, version: int) -> Callable[[str], bool]:
        """Return whether a service shows it at a version."""
        return lambda service: self.rig.version(service, self.name) == version

    def is_current(self, service: str) -> bool:
        """Tell whether a service shows its last version, and does not say that it is stalled."""
        at_last = self.rig.version(service, self.name) == self.last_commit()["last"]
        return at_last and not self.is_stalled(service)

    def is_stalled(self, service: str) -> bool:
        """Tell whether a service says that it is stalled."""
        return self.name in (self.rig.client("operator").read(service, "/stalled") or {})

    def is_set_aside(self, service: str) -> bool:
        """Tell whether a service has set aside all that the rig put there, each for the reason expected."""
        with self.rig.database(service) as database:
            found = {
                row["_id"]: row["reason"] for row in database["dead_letters"].find({"_id": {"$in": [*self.letters]}})
            }
        return found == {origin: record.reason for origin, record in self.letters.items()}

    def decide(self, service: str, letter: str, what: str) -> None:
        """Replay or dismiss a letter, as an operator with a reason."""
        answer: httpx.Response | None = None
        until = time.monotonic() + AT_MOST
        path, operator = f"/dead-letters/{letter}/{what}", self.rig.client("operator")
        while (answer is None or answer.status_code == 503) and time.monotonic() < until:
            answer = operator.operate(service, path, reason="Synthetic: the rig's own")
        said = f"{service}: {what} of {letter}: {answer and answer.text}"
        self.rig.expect(answer is not None and answer.status_code == 200, said)

    def dismiss_all(self, service: str) -> None:
        """Dismiss what is still open of the rig's letters."""
        with self.rig.database(service) as database:
            query = {"_id": {"$in": [*self.letters]}, "standing": "open"}
            still_open = [row["_id"] for row in database["dead_letters"].find(query, {"_id": 1})]
        for letter in still_open:
            self.decide(service, letter, "dismiss")

    def ends_well(self) -> None:
        """Wait until it is current everywhere, and let an operator close what is still open."""
        self.everywhere(self.is_at(self.last_commit()["last"]), "does not go on with it")
        for service in self.hearers:
            self.dismiss_all(service)
        self.everywhere(self.is_current, "shows it as stalled when all is closed")

    def is_all_published(self) -> bool:
        """Tell whether its service has nothing to publish."""
        with self.rig.database(self.service) as database:
            return published_of(database) == sum(heads_of(database).values())

    def position(self, version: int) -> int | None:
        """Return the position of one of its events, once the ledger has it; None if it does not come to have it."""
        found: list[int] = []

        def entered() -> bool:
            with self.rig.database(self.service) as database:
                for batch in database["ledger"].find(sort=[("_id", -1)], limit=200):
                    keys = [entry[:2] for entry in batch["entries"]]
                    if [self.name, version] in keys:
                        found.append(batch["_id"] + keys.index([self.name, version]))
            return bool(found)

        self.rig.await_that(entered, f"{self.name} version {version} was not entered in the ledger")
        return found[0] if found else None

"""One stream to whose topic the rig publishes past the relay, and its expected states in the consuming services."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2

from shared.tlog.keys import LogKeys, origin_of
from shared.tlog.notes import Signer
from tests.faults.rig.comparison.idle import heads_of, published_of
from tests.faults.rig.comparison.projected import consumers_of
from tests.faults.rig.forging import Forger, Record
from tests.faults.rig.patience import AT_MOST
from tests.faults.rig.rig import Rig
from tests.faults.rig.work import recommending
from tools.local.log_keys import DEPLOYMENT, key_file


@dataclass
class Stream:
    """A stream of the rig; `dead_letters` holds the records that the rig has published to it, by origin."""

    rig: Rig
    service: str
    name: str
    dead_letters: dict[str, Record] = field(default_factory=dict)

    @classmethod
    def begun(cls, rig: Rig) -> Stream:
        """Register an instrument with two provisions, and wait until all consumers show it."""
        instrument = recommending.an_instrument(rig.desks(), rig.load.world, shared=False)
        stream = cls(rig, "recommendations", f"instrument/{instrument}")
        stream.everywhere(stream.is_current, "does not show it")
        return stream

    @property
    def signer(self) -> Signer:
        """The key that signs its service's log, as one who stole it would have it."""
        text = key_file(self.rig.platform.stack.home, self.service).read_text()
        return LogKeys.parse(text, origin_of(DEPLOYMENT, self.service)).signer

    @property
    def consumers(self) -> list[str]:
        """The services that consume its events."""
        return consumers_of(self.service)

    def last_commit(self) -> dict[str, Any]:
        """Return its last commit document."""
        with self.rig.database(self.service) as database:
            commit = database["commits"].find_one({"_id.s": self.name}, sort=[("_id", -1)])
        assert commit is not None
        return commit

    def last_bytes(self) -> bytes:
        """Return the bytes of its last event."""
        return bytes(self.last_commit()["events"][-1])

    def append(self) -> None:
        """Append a true event, by a command, to the instrument."""
        instrument = self.name.partition("/")[2]
        provision = f"{instrument}/{self.rig.load.world.number()}"
        recommending.a_provision(self.rig.desks(), self.rig.load.world, instrument, provision, shared=False)

    def put(self, *records: Record) -> None:
        """Publish records on its topic past the relay."""
        placed = Forger(self.rig.platform.stack.kafka_admin, self.service).put(*records)
        self.rig.injected.update(placed)
        self.dead_letters |= placed

    def everywhere(self, holds: Callable[[str], bool], otherwise: str) -> None:
        """Wait until a condition holds in each consuming service."""
        for service in self.consumers:
            self.rig.await_that(lambda at=service: holds(at), f"{self.name}: {service} {otherwise}")  # type: ignore[misc]

    def is_at(self, version: int) -> Callable[[str], bool]:
        """Return a condition: a service shows the stream at this version."""
        return lambda service: self.rig.version(service, self.name) == version

    def is_current(self, service: str) -> bool:
        """Tell whether a service shows the last version, and not as stalled."""
        at_last = self.rig.version(service, self.name) == self.last_commit()["last"]
        return at_last and not self.is_stalled(service)

    def is_stalled(self, service: str) -> bool:
        """Tell whether a service lists the stream as stalled."""
        return self.name in (self.rig.client("operator").read(service, "/stalled") or {})

    def has_dead_letters(self, service: str) -> bool:
        """Tell whether a service has a dead letter of each published record, with the expected reason."""
        with self.rig.database(service) as database:
            documents = database["dead_letters"].find({"_id": {"$in": [*self.dead_letters]}})
            reasons = {document["_id"]: document["reason"] for document in documents}
        return reasons == {origin: record.reason for origin, record in self.dead_letters.items()}

    def decide(self, service: str, dead_letter: str, decision: str) -> None:
        """Replay or dismiss a dead letter, as an operator with a reason."""
        answer: httpx2.Response | None = None
        until = time.monotonic() + AT_MOST
        path, operator = f"/dead-letters/{dead_letter}/{decision}", self.rig.client("operator")
        while (answer is None or answer.status_code == 503) and time.monotonic() < until:
            answer = operator.operate(service, path, reason="Synthetic: the rig's own")
        failure = f"{service}: {decision} of {dead_letter}: {answer and answer.text}"
        self.rig.expect(answer is not None and answer.status_code == 200, failure)

    def dismiss_all(self, service: str) -> None:
        """Dismiss those of the rig's dead letters that are still open."""
        with self.rig.database(service) as database:
            query = {"_id": {"$in": [*self.dead_letters]}, "standing": "open"}
            still_open = [row["_id"] for row in database["dead_letters"].find(query, {"_id": 1})]
        for dead_letter in still_open:
            self.decide(service, dead_letter, "dismiss")

    def expect_recovery(self) -> None:
        """Wait until each consumer shows the last version, and dismiss the open dead letters as an operator."""
        self.everywhere(self.is_at(self.last_commit()["last"]), "does not show its last version")
        for service in self.consumers:
            self.dismiss_all(service)
        self.everywhere(self.is_current, "shows it as stalled without an open dead letter")

    def is_all_published(self) -> bool:
        """Tell whether its service has published all stored events."""
        with self.rig.database(self.service) as database:
            return published_of(database) == sum(heads_of(database).values())

    def position(self, version: int) -> int | None:
        """Wait until the ledger has one of its events, and return the position, or None at the time limit."""
        positions: list[int] = []

        def entered() -> bool:
            with self.rig.database(self.service) as database:
                for batch in database["ledger"].find(sort=[("_id", -1)], limit=200):
                    keys = [entry[:2] for entry in batch["entries"]]
                    if [self.name, version] in keys:
                        positions.append(batch["_id"] + keys.index([self.name, version]))
            return bool(positions)

        self.rig.await_that(entered, f"{self.name} version {version} was not entered in the ledger")
        return positions[0] if positions else None

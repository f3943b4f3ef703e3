"""The four services in memory: each command runs through its own service's decision, and a refusal is an error."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from shared.domain.aggregate import Aggregate, Command, Context, Facts, Known
from shared.domain.facts import Fact
from shared.domain.rejections import Rejection
from shared.events.canonical import ZERO_HASH
from shared.events.envelope import encode, hash_of, stamp
from shared.events.event import Correction, Event, Voiding
from shared.events.services import SERVICES
from shared.store.event_store import Commit
from tools.simulate.chance import Chance, moment
from tools.simulate.commits import SimulatedCommit
from tools.simulate.policies import Policies, PolicyEvent

_PROJECTIONS = {service: import_module(f"services.{service}.projection") for service in SERVICES}
OWN: dict[str, tuple[str, Aggregate[Any]]] = {
    kind: (service, aggregate)
    for service, projection in _PROJECTIONS.items()
    for kind, aggregate in projection.OWN.items()
}
"""The owner of each kind of stream, and the aggregate that decides and folds it there."""
REPLICAS: dict[str, tuple[str, Aggregate[Any]]] = {
    kind: (service, aggregate)
    for service, projection in _PROJECTIONS.items()
    for kind, aggregate in projection.AGGREGATES.items()
    if OWN[kind][0] != service
}
"""The service that needs a replica of a foreign kind of stream, and the aggregate that folds it there."""


class Refused(Exception):
    """A service refused a simulated command: the simulation is wrong."""

    def __init__(self, stream: str, rejection: Rejection) -> None:
        super().__init__(f"{stream}: {rejection.rule}: {rejection.sentence()}")
        self.rejection = rejection


@dataclass(slots=True)
class SimulatedStream:
    """A stream in memory: the state at its owner and, if another service consumes it, the state of the replica.

    `voided` has the facts that are void, each by the version of its void.
    """

    state: Any
    replica: Any = None
    version: int = 0
    hash: str = ZERO_HASH
    time: str | None = None
    facts: list[Fact] = field(default_factory=list)
    voided: dict[int, Fact] = field(default_factory=dict)


class Platform:
    """The services' streams, and their commits that the history has not yet taken."""

    def __init__(self, seed: int) -> None:
        self._ids = Chance(seed, "ids")
        self._streams: dict[str, SimulatedStream] = {}
        self._commits: list[SimulatedCommit] = []
        self._policies = Policies(self._execute_for_policy, self.known)

    def take_commits(self) -> list[SimulatedCommit]:
        """Return the commits since the last call, in order."""
        commits, self._commits = self._commits, []
        return commits

    def discard(self, *streams: str) -> None:
        """Drop streams that will neither change nor be named again."""
        for stream in streams:
            self._streams.pop(stream, None)

    def state(self, stream: str) -> Any:
        """Return a stream's state at its owner."""
        return self._streams[stream].state

    def owner(self, stream: str) -> str:
        """Return the service that owns a stream."""
        return OWN[stream.partition("/")[0]][0]

    def facts(self, stream: str) -> list[Fact]:
        """Return a stream's facts, corrected data in place, without those that are void."""
        return self._streams[stream].facts

    def execute(
        self, stream: str, command: Command, at: int, role: str = "secretariat", **caller: Any
    ) -> SimulatedCommit:
        """Execute a command at a time in milliseconds. Raises Refused."""
        command_id = self._ids.event_id(at)
        actor = caller.pop("actor", f"synthetic-{role}")
        return self._execute(
            stream, command, Context(moment(at), actor, role, command_id, correlation_id=command_id, **caller), at
        )

    def known(self, stream: str) -> Known | None:
        """Return a stream's state and version at its owner."""
        simulated = self._streams.get(stream)
        return Known(simulated.state, simulated.version) if simulated else None

    def _execute_for_policy(self, stream: str, command: Command, context: Context, at: int) -> Commit:
        commit = self._execute(stream, command, replace(context, now=moment(at)), at)
        return Commit(stream, commit.first, commit.last, commit.raws)

    def _execute(self, stream: str, command: Command, context: Context, at: int) -> SimulatedCommit:
        service, aggregate = OWN[stream.partition("/")[0]]
        simulated = self._streams.get(stream) or SimulatedStream(aggregate.initial)
        facts = self._facts(service, aggregate.needs(simulated.state, command))
        decision = aggregate.decided(simulated.state, command, stream=stream, facts=facts, context=context)
        if isinstance(decision, Rejection):
            raise Refused(stream, decision)
        return self._append(stream, simulated, decision, command, context, at)

    def amend(self, stream: str, event: Event, command: Command, at: int) -> SimulatedCommit:
        """Append a correction or a void, which the caller derived from the event that it names."""
        command_id = self._ids.event_id(at)
        context = Context(moment(at), "synthetic-secretariat", "secretariat", command_id, command_id)
        return self._append(stream, self._streams[stream], [event], command, context, at)

    def _facts(self, service: str, streams: frozenset[str]) -> Facts:
        facts: dict[str, Known] = {}
        for stream in streams:
            simulated = self._streams.get(stream)
            if simulated is not None:
                owned = OWN[stream.partition("/")[0]][0] == service
                facts[stream] = Known(simulated.state if owned else simulated.replica, simulated.version)
        return facts

    def _append(
        self, stream: str, simulated: SimulatedStream, events: list[Event], command: Command, context: Context, at: int
    ) -> SimulatedCommit:
        first = simulated.version + 1
        time = stamp(context.now, simulated.time)
        raws, policy_events = [], []
        for version, event in enumerate(events, start=first):
            event_id = self._ids.event_id(at)
            raw = encode(
                event,
                event_id=event_id,
                subject=stream,
                time=time,
                version=version,
                actor=context.actor,
                role=context.role,
                command_id=context.command_id,
                correlation_id=context.correlation_id,
                causation_id=context.causation_id,
                previous_hash=simulated.hash,
            )
            simulated.version, simulated.hash, simulated.time = version, hash_of(raw), time
            raws.append(raw)
            fact = Fact(event, stream, (version,), time, context.actor, context.role, event_id)
            self._fold(stream, simulated, fact)
            policy_events.append(PolicyEvent(event_id, stream, version, time, context.correlation_id, event))
        self._streams[stream] = simulated
        commit = SimulatedCommit(events[0].service, stream, first, tuple(raws), command, context)
        self._commits.append(commit)
        for policy_event in policy_events:
            self._policies.react(policy_event, at)
        return commit

    def _fold(self, stream: str, simulated: SimulatedStream, fact: Fact) -> None:
        kind = stream.partition("/")[0]
        owner, replica = OWN[kind][1], REPLICAS.get(kind)
        if replica is not None and simulated.replica is None:
            simulated.replica = replica[1].initial
        if isinstance(fact.data, Correction | Voiding):
            _amend(simulated, fact)
            simulated.state = owner.initial
            for each in simulated.facts:
                simulated.state = owner.evolve(simulated.state, each)
            if replica is not None:
                simulated.replica = replica[1].initial
                for each in simulated.facts:
                    simulated.replica = replica[1].evolve(simulated.replica, each)
            return
        simulated.facts.append(fact)
        simulated.state = owner.evolve(simulated.state, fact)
        if replica is not None:
            simulated.replica = replica[1].evolve(simulated.replica, fact)


def _amend(simulated: SimulatedStream, fact: Fact) -> None:
    if isinstance(fact.data, Voiding):
        _apply_void(simulated, fact)
    else:
        _apply_correction(simulated.facts, fact)


def _apply_void(simulated: SimulatedStream, fact: Fact) -> None:
    assert isinstance(fact.data, Voiding)
    if (held := simulated.voided.pop(fact.data.voids, None)) is not None:
        simulated.facts.append(held)
        simulated.facts.sort(key=lambda each: each.versions[0])
        return
    named = next(each for each in simulated.facts if each.versions[0] == fact.data.voids)
    simulated.facts.remove(named)
    simulated.voided[fact.versions[0]] = named


def _apply_correction(facts: list[Fact], fact: Fact) -> None:
    correction = fact.data
    assert isinstance(correction, Correction)
    for index, original in enumerate(facts):
        if original.versions[0] == correction.corrects:
            data = type(original.data).model_validate(correction.data)
            facts[index] = Fact(
                data=data,
                stream=original.stream,
                versions=(correction.corrects, fact.versions[0]),
                time=original.time,
                actor=original.actor,
                role=original.role,
                event_id=original.event_id,
            )

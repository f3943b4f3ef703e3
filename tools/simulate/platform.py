"""The four services in memory: every command goes through its own service's decision, and refusals are errors."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from services.meetings import projection as meetings
from services.nominations import projection as nominations
from services.notifications import projection as notifications
from services.recommendations import projection as recommendations
from shared.domain.aggregate import Aggregate, Command, Context, Fact, Facts, Known
from shared.domain.rejections import Rejection
from shared.events.canonical import ZERO_HASH
from shared.events.envelope import encode, hash_of, stamp
from shared.events.event import Correction, Event
from shared.store.event_store import Commit
from tools.simulate.chance import Chance, moment
from tools.simulate.commits import SimulatedCommit
from tools.simulate.policies import Policies, PolicyEvent

OWN: dict[str, tuple[str, Aggregate[Any]]] = {
    kind: (service, aggregate)
    for service, projection in (
        ("nominations", nominations),
        ("meetings", meetings),
        ("recommendations", recommendations),
        ("notifications", notifications),
    )
    for kind, aggregate in projection.OWN.items()
}
"""Which service owns a kind of stream, and by what it is decided and folded there."""
REPLICAS: dict[str, tuple[str, Aggregate[Any]]] = {
    kind: (service, aggregate)
    for service, projection in (("meetings", meetings), ("recommendations", recommendations))
    for kind, aggregate in projection.AGGREGATES.items()
    if OWN[kind][0] != service
}
"""Which service rests decisions on a sibling's kind of stream, and by what it is folded there."""


class Refused(Exception):
    """A service refused what the simulation took for possible: the simulation is wrong."""

    def __init__(self, stream: str, rejection: Rejection) -> None:
        super().__init__(f"{stream}: {rejection.rule}: {rejection.sentence()}")
        self.rejection = rejection


@dataclass(slots=True)
class SimulatedStream:
    """A stream that lives: its state at its owner's and, where a sibling hears it, its state there."""

    state: Any
    heard: Any = None
    version: int = 0
    hash: str = ZERO_HASH
    time: str | None = None
    facts: list[Fact] = field(default_factory=list)


class Platform:
    """What the services know, and the commits that they made and that were not yet taken."""

    def __init__(self, seed: int) -> None:
        self._ids = Chance(seed, "ids")
        self._threads: dict[str, SimulatedStream] = {}
        self._made: list[SimulatedCommit] = []
        self._policies = Policies(self._follow, self.known)

    def take_commits(self) -> list[SimulatedCommit]:
        """Return the commits since this was last asked, in order."""
        made, self._made = self._made, []
        return made

    def discard(self, *streams: str) -> None:
        """Drop streams of which nothing more will come and that nothing more will name."""
        for stream in streams:
            self._threads.pop(stream, None)

    def state(self, stream: str) -> Any:
        """Return a stream's state at its owner's."""
        return self._threads[stream].state

    def facts(self, stream: str) -> list[Fact]:
        """Return what a stream holds, corrected data in place."""
        return self._threads[stream].facts

    def execute(self, stream: str, command: Command, at: int, role: str = "secretariat", **who: Any) -> SimulatedCommit:
        """Carry a command out at a moment. Raises Refused."""
        command_id = self._ids.event_id(at)
        actor = who.pop("actor", f"synthetic-{role}")
        return self._carry_out(
            stream, command, Context(moment(at), actor, role, command_id, correlation_id=command_id, **who), at
        )

    def known(self, stream: str) -> Known | None:
        """Return a stream as its owner knows it."""
        thread = self._threads.get(stream)
        return Known(thread.state, thread.version) if thread else None

    def _follow(self, stream: str, command: Command, context: Context, at: int) -> Commit:
        made = self._carry_out(stream, command, replace(context, now=moment(at)), at)
        return Commit(stream, made.first, made.last, made.raws)

    def _carry_out(self, stream: str, command: Command, context: Context, at: int) -> SimulatedCommit:
        service, aggregate = OWN[stream.partition("/")[0]]
        thread = self._threads.get(stream) or SimulatedStream(aggregate.initial)
        facts = self._facts(service, aggregate.needs(thread.state, command))
        decision = aggregate.decide(thread.state, command, stream=stream, facts=facts, context=context)
        if isinstance(decision, Rejection):
            raise Refused(stream, decision)
        return self._append(stream, thread, decision, command, context, at)

    def correct(self, stream: str, correction: Correction, command: Command, at: int) -> SimulatedCommit:
        """Record a correction, whose data the caller made of what it corrects."""
        command_id = self._ids.event_id(at)
        context = Context(moment(at), "synthetic-secretariat", "secretariat", command_id, command_id)
        return self._append(stream, self._threads[stream], [correction], command, context, at)

    def _facts(self, service: str, streams: frozenset[str]) -> Facts:
        facts: dict[str, Known] = {}
        for stream in streams:
            thread = self._threads.get(stream)
            if thread is not None:
                owned = OWN[stream.partition("/")[0]][0] == service
                facts[stream] = Known(thread.state if owned else thread.heard, thread.version)
        return facts

    def _append(
        self, stream: str, thread: SimulatedStream, events: list[Event], command: Command, context: Context, at: int
    ) -> SimulatedCommit:
        first = thread.version + 1
        time = stamp(context.now, thread.time)
        raws, told = [], []
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
                previous_hash=thread.hash,
            )
            thread.version, thread.hash, thread.time = version, hash_of(raw), time
            raws.append(raw)
            fact = Fact(event, stream, (version,), time, context.actor, context.role, event_id)
            self._fold(stream, thread, fact)
            told.append(PolicyEvent(event_id, stream, version, time, context.correlation_id, event))
        self._threads[stream] = thread
        made = SimulatedCommit(events[0].service, stream, first, tuple(raws), command, context)
        self._made.append(made)
        for event_told in told:
            self._policies.act(event_told, at)
        return made

    def _fold(self, stream: str, thread: SimulatedStream, fact: Fact) -> None:
        kind = stream.partition("/")[0]
        owner, heard = OWN[kind][1], REPLICAS.get(kind)
        if heard is not None and thread.heard is None:
            thread.heard = heard[1].initial
        if isinstance(fact.data, Correction):
            _put_right(thread.facts, fact)
            thread.state = owner.initial
            for each in thread.facts:
                thread.state = owner.evolve(thread.state, each)
            if heard is not None:
                thread.heard = heard[1].initial
                for each in thread.facts:
                    thread.heard = heard[1].evolve(thread.heard, each)
            return
        thread.facts.append(fact)
        thread.state = owner.evolve(thread.state, fact)
        if heard is not None:
            thread.heard = heard[1].evolve(thread.heard, fact)


def _put_right(facts: list[Fact], fact: Fact) -> None:
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

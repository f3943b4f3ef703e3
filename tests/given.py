"""Given events, when a command, then events or a refusal: how every rule is tested, on real envelopes and bytes.

given(MEETING, "meeting/m1", MeetingProposed(...))
    .knowing(known(MEMBERSHIP, "membership/e1", MembershipBegan(...)))
    .when(RecordAttendance(...), role="secretariat")
    .then(AttendanceRecorded(...))           # or .then_refused(MeetingNotConvened), .then_stage("held")
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.aggregate import Aggregate, Command, Context, Decision, Known
from shared.domain.rejections import Rejection
from shared.events.canonical import ZERO_HASH
from shared.events.catalogue import Recorded, decode
from shared.events.envelope import encode, hash_of, stamp
from shared.events.event import Event

NOW = datetime(2032, 1, 5, 9, 0, tzinfo=UTC)
COMMAND_ID = "synthetic-command"


def a_context(role: str = "secretariat", member: str | None = None) -> Context:
    """Return the context of a synthetic command."""
    return Context(
        now=NOW,
        actor="synthetic-actor",
        role=role,
        command_id=COMMAND_ID,
        correlation_id="synthetic-correlation",
        member=member,
    )


def new_id(what: str) -> str:
    """Return the id that a command in these tests derives where it gives none."""
    return a_context().new_id(what)


def recorded(stream: str, *events: Event, start: datetime = NOW) -> list[Recorded]:
    """Return the events as a store would give them back: encoded, chained, decoded; one second apart."""
    envelopes, previous = [], ZERO_HASH
    for version, event in enumerate(events, start=1):
        raw = encode(
            event,
            event_id=f"{stream}-{version}",
            subject=stream,
            time=stamp(start + timedelta(seconds=version)),
            version=version,
            actor="synthetic-actor",
            role="secretariat",
            command_id=f"{stream}-command-{version}",
            correlation_id="synthetic-correlation",
            causation_id=None,
            previous_hash=previous,
        )
        previous = hash_of(raw)
        envelopes.append(decode(raw))
    return envelopes


def known(aggregate: Aggregate[Any], stream: str, *events: Event) -> dict[str, Known]:
    """Return a stream of these events as a decision knows it; merge several with `|`."""
    return {stream: Known(aggregate.fold(recorded(stream, *events)), len(events))}


@dataclass(frozen=True)
class Outcome:
    """A decision, and the history that it rests on."""

    aggregate: Aggregate[Any]
    stream: str
    events: tuple[Event, ...]
    decision: Decision

    def then(self, *expected: Event) -> Outcome:
        """Expect these events, and that they can be stored."""
        assert self.decision == list(expected)
        assert recorded(self.stream, *expected)
        return self

    def then_refused(self, rule: type[Rejection]) -> Rejection:
        """Expect this refusal, and that it has its sentence; return it."""
        assert type(self.decision) is rule, self.decision
        assert self.decision.sentence()
        return self.decision

    def then_stage(self, stage: str) -> Outcome:
        """Expect the stream's stage once what was decided is recorded."""
        assert not isinstance(self.decision, Rejection), self.decision
        assert given(self.aggregate, self.stream, *self.events, *self.decision).state.stage == stage
        return self


@dataclass(frozen=True)
class Given:
    """A stream's history, and what is known of other streams."""

    aggregate: Aggregate[Any]
    stream: str
    events: tuple[Event, ...]
    facts: Mapping[str, Known]

    @property
    def state(self) -> Any:
        """The fold of the history, which must survive being stored as JSON."""
        state = self.aggregate.fold(recorded(self.stream, *self.events))
        states = self.aggregate.states
        assert states.validate_json(states.dump_json(state)) == state
        return state

    def knowing(self, facts: Mapping[str, Known]) -> Given:
        """Know of these streams as well; a decision is shown only those that its `needs` names."""
        return replace(self, facts={**self.facts, **facts})

    def when(self, command: Command, role: str = "secretariat", member: str | None = None) -> Outcome:
        """Decide as the handler does: on the folded state and on the facts that the aggregate asks for."""
        needed = self.aggregate.needs(self.state, command)
        decision = self.aggregate.decided(
            self.state,
            command,
            stream=self.stream,
            facts={stream: fact for stream, fact in self.facts.items() if stream in needed},
            context=a_context(role, member),
        )
        return Outcome(self.aggregate, self.stream, self.events, decision)


def given(aggregate: Aggregate[Any], stream: str, *events: Event) -> Given:
    """Begin with a stream's events, corrections included; none for a stream that is not there."""
    return Given(aggregate, stream, events, {})

"""The execution of a record in memory by the services' own rules, to find refusals before any command is sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from services.meetings.domain.meeting import MEETING
from services.recommendations.domain.foreign import MEETING as MEETING_REPLICA
from services.recommendations.domain.instrument import INSTRUMENT
from services.recommendations.domain.recommendation import RECOMMENDATION
from services.recommendations.domain.registers import BODY_SESSION, DELIVERABLE, INITIATIVE, SESSION
from shared.domain.aggregate import Aggregate, Context, Known
from shared.domain.facts import Fact
from shared.domain.rejections import Rejection
from shared.events.canonical import ZERO_HASH
from shared.events.envelope import TooLarge, encode
from shared.events.event import Event
from tools.record.faults import Fault, Places
from tools.record.rows import Row

_AGGREGATES: dict[str, Aggregate[Any]] = {
    aggregate.kind: aggregate
    for aggregate in (MEETING, INSTRUMENT, RECOMMENDATION, SESSION, BODY_SESSION, DELIVERABLE, INITIATIVE)
}
_AN_ID = "0" * 36
_CONTEXT = Context(datetime.now(UTC), "rehearsal", "secretariat", _AN_ID, _AN_ID)


def rehearse(rows: Sequence[Row], places: Places) -> tuple[list[Event], list[Fault]]:
    """Return the event that each row would record, and the first fault of each stream that would be refused."""
    rehearsal = _Rehearsal()
    recorded: list[Event] = []
    faults: dict[str, Fault] = {}
    for row in rows:
        if row.stream in faults:
            continue
        outcome = rehearsal.execute(row)
        if isinstance(outcome, Rejection):
            faults[row.stream] = places.fault(row.place, outcome.rule, outcome.sentence())
        elif (too_large := _too_large(row, outcome)) is not None:
            faults[row.stream] = places.fault((*row.place, too_large.field), "EventTooLarge", str(too_large))
        else:
            recorded.append(outcome)
    return recorded, list(faults.values())


class _Rehearsal:
    """The folded streams after the rows so far, with the recommendations service's replicas of meetings."""

    def __init__(self) -> None:
        self._own: dict[str, Known] = {}
        self._replicas: dict[str, Known] = {}
        self._streams: dict[str, str] = {}

    def execute(self, row: Row) -> Event | Rejection:
        aggregate = _AGGREGATES[row.stream.partition("/")[0]]
        state = self._own[row.stream].state if row.stream in self._own else aggregate.initial
        visible = {**self._own, **self._replicas} if row.service == "recommendations" else self._own
        needed = aggregate.needs(state, row.command) | self._namesakes(aggregate.keys(row.command))
        facts: dict[str, Known] = {}
        while unread := needed & visible.keys() - facts.keys():
            facts |= {stream: visible[stream] for stream in unread}
            needed = aggregate.leads_to(row.command, facts)
        decision = aggregate.decided(state, row.command, stream=row.stream, facts=facts, context=_CONTEXT)
        if isinstance(decision, Rejection):
            return decision
        [event] = decision
        self._streams |= dict.fromkeys(aggregate.keys(event), row.stream)
        self._fold(self._own, aggregate, row.stream, event)
        if aggregate is MEETING:
            self._fold(self._replicas, MEETING_REPLICA, row.stream, event)
        return event

    def _namesakes(self, keys: frozenset[str]) -> frozenset[str]:
        return frozenset(self._streams[key] for key in keys & self._streams.keys())

    @staticmethod
    def _fold(states: dict[str, Known], aggregate: Aggregate[Any], stream: str, event: Event) -> None:
        known = states.get(stream, Known(aggregate.initial, 0))
        version = known.version + 1
        fact = Fact(event, stream, (version,), "", _CONTEXT.actor, _CONTEXT.role, _AN_ID)
        states[stream] = Known(aggregate.evolve(known.state, fact), version)


def _too_large(row: Row, event: Event) -> TooLarge | None:
    try:
        encode(
            event,
            event_id=_AN_ID,
            subject=row.stream,
            time="2000-01-01T00:00:00.000Z",
            version=2**31 - 1,
            actor="0" * 100,
            role="secretariat",
            command_id=_AN_ID,
            correlation_id="0" * 100,
            causation_id=None,
            previous_hash=ZERO_HASH,
        )
    except TooLarge as error:
        return error
    return None

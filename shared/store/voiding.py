"""The decision on a void: which event of a stream it names, and what may not be voided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from shared.domain.aggregate import Aggregate, Command, Context, Decision
from shared.domain.correction_rules import (
    CannotBeVoided,
    HasConsequences,
    RecordedByPolicy,
    RecordIsVoid,
    VersionIsVoid,
    VoidsNoEvent,
)
from shared.domain.facts import Fact, facts_of
from shared.domain.rejections import Rejection
from shared.domain.voids import voids_of, without_voids_of_all
from shared.events.catalogue import Recorded, event_class
from shared.events.event import Event
from shared.events.values import ShortText, Text, Version
from shared.events.words import Status


class VoidRecord(Command):
    """Take an earlier event of the stream out of account: an original, a correction, or a void."""

    uses_reserve: ClassVar[bool] = True
    voids: Version
    reason: Text = Field(
        description="why it should not have been recorded; never about a person",
        examples=["Entered for the wrong session"],
    )
    note: Text | None = None
    source: ShortText | None = None
    status: Status | None = None


def decide_void(stream: str, recorded: Sequence[Recorded], command: VoidRecord, context: Context) -> Decision:
    """Void an event that holds, and with it the others that the same command recorded."""
    named = next((event for event in recorded if event.streamversion == command.voids), None)
    if named is None:
        return VoidsNoEvent(stream, command.voids)
    voids = voids_of(recorded)
    record = voids.get(1)
    if record is not None and context.role != "system" and command.voids not in (1, record.streamversion):
        return RecordIsVoid(stream, command.voids, record.streamversion)
    if command.voids in voids:
        return VersionIsVoid(stream, command.voids, voids[command.voids].streamversion)
    event: type[Event] = event_class(named.data.service, "RecordVoided")
    fields = command.model_dump(exclude_none=True)
    decision: list[Event] = [
        event.model_validate(fields | {"voids": each.streamversion})
        for each in recorded
        if each.commandid == named.commandid and each.streamversion not in voids
    ]
    return _refusal(named, recorded, _followed_by(recorded, decision), context) or decision


def _followed_by(recorded: Sequence[Recorded], events: Sequence[Event]) -> list[Recorded]:
    """Return a stream's events, with those of a decision as if they were recorded."""
    last = recorded[-1]
    following = enumerate(events, last.streamversion + 1)
    return [
        *recorded,
        *(last.model_copy(update={"streamversion": version, "data": data}) for version, data in following),
    ]


def judged(
    aggregate: Aggregate[Any], recorded: Sequence[Recorded], command: VoidRecord, decision: Decision
) -> Decision:
    """Return a decision to void, or its refusal by the aggregate: a void changes no more than a correction may."""
    if isinstance(decision, Rejection) or aggregate.judge_void is None:
        return decision
    events = without_voids_of_all(recorded)
    before, after = facts_of(events), facts_of(without_voids_of_all(_followed_by(recorded, decision)))
    held = {fact.versions for fact in before}
    then = {
        fact.versions[0]: _state_at(aggregate, events, fact.versions[-1]) for fact in after if fact.versions not in held
    }
    states = aggregate.fold_facts(before), aggregate.fold_facts(after)
    return aggregate.judge_void(*states, then, command.voids, recorded[-1].subject) or decision


def facts_again(recorded: Sequence[Recorded], decision: Sequence[Event]) -> list[Fact]:
    """Return the facts that a decision to void lets hold again; of a void record, all that it has."""
    after = _followed_by(recorded, decision)
    if 1 in voids_of(after):
        return []
    held = {fact.versions[0] for fact in facts_of(recorded)} if 1 not in voids_of(recorded) else set()
    return [fact for fact in facts_of(after) if fact.versions[0] not in held]


def _state_at(aggregate: Aggregate[Any], events: Sequence[Recorded], version: int) -> Any:
    """Return the state when a version was recorded."""
    return aggregate.fold_facts(facts_of(event for event in events if event.streamversion <= version))


def _refusal(
    named: Recorded, recorded: Sequence[Recorded], after: Sequence[Recorded], context: Context
) -> Rejection | None:
    stream, version = named.subject, named.streamversion
    if not named.data.voidable:
        return CannotBeVoided(stream, version, type(named.data).__name__)
    if context.role != "system":
        of_a_policy = named.role == "system"
        return RecordedByPolicy(stream, version, named.causationid or named.actor) if of_a_policy else None
    if 1 not in voids_of(after) or 1 in voids_of(recorded):
        return None
    later = [fact for fact in facts_of(recorded) if fact.versions[0] > 1 and not fact.data.describes]
    resting = next((fact.versions[0] for fact in later if fact.role != "system" or not fact.data.voidable), None)
    return HasConsequences(stream, version, resting) if resting is not None else None

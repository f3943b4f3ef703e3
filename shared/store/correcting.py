"""The decision on a correction: the fact of a stream that it names, its new data, and what may not be changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from pydantic import Field, ValidationError

from shared.domain.aggregate import Aggregate, Command
from shared.domain.correction_rules import (
    CorrectionBreaksSchema,
    CorrectionChangesIdentity,
    CorrectsNoOriginal,
    VersionIsVoid,
)
from shared.domain.facts import facts_of
from shared.domain.rejections import Rejection
from shared.domain.voids import voids_of, without_voids_of_all
from shared.events.catalogue import Recorded, describe, event_class
from shared.events.event import Event
from shared.events.values import ShortText, Text, Version
from shared.events.words import Status


class CorrectRecord(Command):
    """Put the record right: the whole new data of an earlier event of the stream."""

    uses_reserve: ClassVar[bool] = True
    corrects: Version
    data: dict[str, Any] = Field(examples=[{"title": "The title as it should have been"}])
    reason: Text
    note: Text | None = None
    source: ShortText | None = None
    status: Status | None = None


class Change(NamedTuple):
    """The data of an event before and after a correction."""

    before: Event
    after: Event


def change_of(
    aggregate: Aggregate[Any], stream: str, recorded: Sequence[Recorded], command: CorrectRecord
) -> Change | Rejection:
    """Return the change that a correction makes, or its refusal by what it may not change."""
    fact = next((fact for fact in facts_of(recorded) if fact.versions[0] == command.corrects), None)
    if fact is None:
        return _no_fact(stream, recorded, command.corrects)
    try:
        data = type(fact.data).model_validate(command.data)
    except ValidationError as error:
        return CorrectionBreaksSchema(type(fact.data).__name__, describe(error))
    if (name := _identity_changed(aggregate, fact.data, data)) is not None:
        return CorrectionChangesIdentity(name, stream, command.corrects)
    return _judged(aggregate, stream, recorded, command.corrects, data) or Change(fact.data, data)


def correction(command: CorrectRecord, data: Event) -> Event:
    """Return the event of a correction."""
    corrected: type[Event] = event_class(data.service, "RecordCorrected")
    whole = {"data": data.model_dump(mode="json", exclude_none=True), "data_type": data.type_name()}
    return corrected.model_validate(command.model_dump(exclude_none=True) | whole)


def _no_fact(stream: str, recorded: Sequence[Recorded], version: int) -> Rejection:
    void = voids_of(recorded).get(version)
    return CorrectsNoOriginal(stream, version) if void is None else VersionIsVoid(stream, version, void.streamversion)


def _identity_changed(aggregate: Aggregate[Any], before: Event, after: Event) -> str | None:
    """Return the first field by which a correction would change an id, or the streams that the event names."""
    for name in sorted(type(after).model_fields):
        change = {name: getattr(after, name)}
        if change[name] == getattr(before, name):
            continue
        if name in after.fixed or aggregate.names(before.model_copy(update=change)) != aggregate.names(before):
            return name
    return None


def _judged(
    aggregate: Aggregate[Any], stream: str, recorded: Sequence[Recorded], version: int, data: Event
) -> Rejection | None:
    """Return the refusal, by the aggregate, of other data for a version."""
    if aggregate.judge_change is None:
        return None
    before = facts_of(without_voids_of_all(recorded))
    after = [fact._replace(data=data) if fact.versions[0] == version else fact for fact in before]
    return aggregate.judge_change(aggregate.fold_facts(before), aggregate.fold_facts(after), version, stream)

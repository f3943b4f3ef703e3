"""Read, fold, decide, append: what every command goes through, its corrections included."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field, ValidationError

from shared.domain.aggregate import Aggregate, Command, Context, Decision, Facts, Known
from shared.domain.rejections import (
    CommandIdReused,
    CorrectionBreaksSchema,
    CorrectionChangesIdentity,
    CorrectsNoOriginal,
    EventTooLarge,
    OutOfOrder,
    Rejection,
    VersionConflict,
)
from shared.events.canonical import canonical, sha256_hex
from shared.events.catalogue import EVENTS, describe, event_class
from shared.events.envelope import TooLarge
from shared.events.event import Correction, Event
from shared.events.values import ShortText, Text, Version
from shared.events.words import Status
from shared.store.event_store import CommandReused, Commit, Conflict, EventStore
from shared.store.refusals import Refusals
from shared.store.repository import AggregateRepository, LoadedState

ATTEMPTS = 12
StateLookup = Callable[[str], Awaitable[Known | None]]


class CorrectRecord(Command):
    """Put the record right: the whole new data of an earlier event of the stream."""

    corrects: Version
    data: dict[str, Any] = Field(examples=[{"title": "The title as it should have been"}])
    reason: Text
    note: Text | None = None
    source: ShortText | None = None
    status: Status | None = None


@dataclass
class CommandHandler:
    """Where a service looks: its own store and aggregates, and what it has heard of its siblings' streams.

    What it refuses is kept in `refusals`.
    """

    store: EventStore
    refusals: Refusals
    aggregates: dict[str, Aggregate[Any]]
    hear: StateLookup
    streams: AggregateRepository = field(init=False)

    def __post_init__(self) -> None:
        self.streams = AggregateRepository(self.store, self.aggregates)

    async def known(self, stream: str) -> Known | None:
        """Return a stream's state: from the own store where this service owns it, else from what was heard."""
        if stream.partition("/")[0] not in self.aggregates:
            return await self.hear(stream)
        standing = await self.streams.load(stream)
        return Known(standing.state, standing.head.version) if standing.head.version else None

    async def facts(self, streams: Iterable[str]) -> Facts:
        """Return what is known of the streams; one that is not known is left out."""
        named = sorted(streams)
        found = await asyncio.gather(*map(self.known, named))
        return {stream: known for stream, known in zip(named, found, strict=True) if known is not None}


async def handle(
    ledgers: CommandHandler, stream: str, command: Command, context: Context, if_match: int | None = None
) -> Commit | Rejection:
    """Carry a command out: read, fold, decide, append; decide again when another got in first.

    With `if_match`, another version is refused and never decided again. A refusal is given only after the command id
    was looked up, so that a retry of what succeeded is answered with its first result.
    """
    digest = digest_of(stream, command)
    outcome = await _handled(ledgers, stream, command, context, if_match, digest)
    return await refuse(ledgers, command, context, outcome, digest) if isinstance(outcome, Rejection) else outcome


async def refuse(
    ledgers: CommandHandler, command: Command, context: Context, rejection: Rejection, digest: str | None = None
) -> Rejection:
    """Keep a refusal, and return it. Without a digest where the command holds what is personal in plain words."""
    await ledgers.refusals.record(
        context.actor,
        context.role,
        rejection.rule,
        request=type(command).__name__.removesuffix("Request"),
        command_id=context.command_id,
        digest=digest,
    )
    return rejection


async def _handled(
    ledgers: CommandHandler, stream: str, command: Command, context: Context, if_match: int | None, digest: str
) -> Commit | Rejection:
    try:
        for attempt in range(ATTEMPTS):
            standing = await ledgers.streams.load(stream)
            outcome: Decision
            if if_match is not None and standing.head.version != if_match:
                outcome = VersionConflict(stream, if_match, standing.head.version)
            else:
                outcome = await _decide(ledgers, standing, command, context)
            if isinstance(outcome, Rejection):
                return await ledgers.store.result_of(context, digest) or outcome
            try:
                commit = await ledgers.store.append(standing.head, outcome, context, digest)
            except Conflict:
                await asyncio.sleep(random.uniform(0, 0.005 * 2 ** min(attempt, 6)))  # noqa: S311
            else:
                ledgers.streams.after_commit(standing, commit)
                return commit
    except CommandReused:
        return CommandIdReused(context.command_id)
    except TooLarge as error:
        return EventTooLarge(error.field, str(error))
    raise Conflict(stream)


def digest_of(stream: str, command: Command) -> str:
    """Return the SHA-256 of what was asked; personal fields are sealed by then, so it tells nothing of them."""
    body = command.model_dump(mode="json", exclude_none=True)
    return sha256_hex(canonical({"command": type(command).__name__, "stream": stream, "body": body}))


async def _decide(ledgers: CommandHandler, standing: LoadedState, command: Command, context: Context) -> Decision:
    stream, state = standing.head.stream, standing.state
    if isinstance(command, CorrectRecord):
        return await _correct(ledgers, standing, command)
    aggregate = ledgers.aggregates[stream.partition("/")[0]]
    facts = await ledgers.facts(aggregate.needs(state, command))
    return aggregate.decide(state, command, stream=stream, facts=facts, context=context)


async def _correct(ledgers: CommandHandler, standing: LoadedState, command: CorrectRecord) -> Decision:
    stream = standing.head.stream
    _, recorded = await ledgers.store.read(stream)
    if not recorded:
        return OutOfOrder("CorrectRecord", stream, "not on record")
    original = next((envelope for envelope in recorded if envelope.streamversion == command.corrects), None)
    if original is None or isinstance(original.data, Correction):
        return CorrectsNoOriginal(stream, command.corrects)
    try:
        data = EVENTS[original.type].model_validate(command.data)
    except ValidationError as error:
        return CorrectionBreaksSchema(type(original.data).__name__, describe(error))
    for name in sorted(data.fixed):
        if getattr(data, name) != getattr(original.data, name):
            return CorrectionChangesIdentity(name)
    if (missing := await _unknown(ledgers, data)) is not None:
        return missing
    corrected: type[Event] = event_class(data.service, "RecordCorrected")
    whole = {"data": data.model_dump(mode="json", exclude_none=True), "data_type": data.type_name()}
    return [corrected.model_validate(command.model_dump(exclude_none=True) | whole)]


async def _unknown(ledgers: CommandHandler, data: Event) -> Rejection | None:
    for aggregate in ledgers.aggregates.values():
        named = aggregate.names(data)
        facts = await ledgers.facts(named)
        for stream in sorted(named - facts.keys()):
            return CorrectionBreaksSchema(type(data).__name__, f"{stream} is not on record")
    return None

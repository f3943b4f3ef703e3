"""Command handling: read, fold, decide, append. Every command takes this way, corrections and voids included."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from shared.domain.aggregate import Aggregate, Command, Context, Decision, Facts, Known
from shared.domain.correction_rules import NamesVoid
from shared.domain.rejections import CommandIdReused, EventTooLarge, OutOfOrder, Rejection, VersionConflict
from shared.domain.single_facts import FactRefused
from shared.domain.voids import Void
from shared.events.canonical import canonical, sha256_hex
from shared.events.catalogue import Recorded
from shared.events.envelope import TooLarge
from shared.events.event import Event
from shared.store.correcting import CorrectRecord, change_of, correction
from shared.store.event_store import CommandReused, Commit, Conflict, EventStore
from shared.store.refusals import Refusals
from shared.store.repository import AggregateRepository, LoadedState
from shared.store.stream_limit import refusal_of_full
from shared.store.voiding import VoidRecord, decide_void, facts_again, judged
from shared.tracing.spans import tracing

ATTEMPTS = 12
StateLookup = Callable[[str], Awaitable[Known | None]]
KeyLookup = Callable[[str, Iterable[str]], Awaitable[set[str]]]

_decide_again = retry(
    retry=retry_if_exception_type(Conflict),
    stop=stop_after_attempt(ATTEMPTS),
    wait=wait_random_exponential(multiplier=0.005, max=0.32),
    reraise=True,
)


class Validated(Exception):
    """The command would be accepted, and was only to be validated; `commit` is what it would append.

    Raised, so that no handler goes on as after a command: to send a mail, or to destroy a key.
    """

    def __init__(self, commit: Commit) -> None:
        super().__init__(commit.stream)
        self.commit = commit


async def no_namesakes(_kind: str, _keys: Iterable[str]) -> set[str]:
    """Find no stream by its keys."""
    return set()


@dataclass
class CommandHandler:
    """The command side of one service: its event store, its aggregates, the record of its refusals.

    `foreign` returns this service's fold of a sibling's stream; `namesakes` the streams of a kind, as far as they are
    folded, that have one of some keys.
    """

    store: EventStore
    refusals: Refusals
    aggregates: dict[str, Aggregate[Any]]
    foreign: StateLookup
    namesakes: KeyLookup = no_namesakes
    repository: AggregateRepository = field(init=False)

    def __post_init__(self) -> None:
        self.repository = AggregateRepository(self.store, self.aggregates)

    async def handle(
        self,
        stream: str,
        command: Command,
        context: Context,
        expected: Container[int] | None = None,
        *,
        record_refusal: bool = True,
        dry_run: bool = False,
    ) -> Commit | Rejection:
        """Carry a command out, and decide again after a conflict. Raises Conflict after too many of them.

        Any version but an expected one is refused, and never decided again. The command id is looked up before a
        refusal is returned, so a retry of a command that succeeded gets its first result. A dry run appends nothing.
        Raises Validated in place of a commit where the context says that the command is only to be validated.
        """
        digest = digest_of(stream, command)
        try:
            with tracing().child(f"command {_name_of(command)}") as span:
                dry_run |= context.only_validate
                outcome = await self._attempt(stream, command, context, expected, digest, dry_run)
                span.set_attribute("throughline.refused_by", getattr(outcome, "rule", "nothing"))
        except CommandReused:
            outcome = CommandIdReused(context.command_id)
        except TooLarge as error:
            outcome = EventTooLarge(error.field, str(error))
        if record_refusal and isinstance(outcome, Rejection):
            return await self.refuse(command, context, outcome, digest)
        if context.only_validate and isinstance(outcome, Commit):
            raise Validated(outcome)
        return outcome

    async def refuse(
        self, command: Command, context: Context, rejection: Rejection, digest: str | None = None
    ) -> Rejection:
        """Record a refusal, and return it. Pass no digest of a command that holds personal data in plain text."""
        if context.only_validate:
            return rejection
        await self.refusals.record(
            context.actor,
            context.role,
            rejection.rule,
            request=_name_of(command),
            command_id=context.command_id,
            digest=digest,
        )
        return rejection

    async def known(self, stream: str) -> Known | None:
        """Return a stream's state: from the event store where this service owns it, else its fold of a sibling's."""
        if stream.partition("/")[0] not in self.aggregates:
            return await self.foreign(stream)
        loaded = await self.repository.load(stream)
        return Known(loaded.state, loaded.head.version) if loaded.head.version else None

    async def facts(self, streams: Iterable[str]) -> Facts:
        """Return the known states of streams; an unknown one is left out."""
        names = sorted(streams)
        states = await asyncio.gather(*map(self.known, names))
        return {stream: known for stream, known in zip(names, states, strict=True) if known is not None}

    async def _facts_for(
        self, aggregate: Aggregate[Any], item: Command | Event, streams: frozenset[str], keys: frozenset[str]
    ) -> Facts:
        """Return the facts that a decision rests on: the streams given, those that they lead to, those of its keys."""
        wanted = streams | (await self.namesakes(aggregate.kind, keys) if keys else frozenset())
        read: set[str] = set()
        facts: dict[str, Known] = {}
        while unread := wanted - read:
            read |= unread
            facts.update(await self.facts(unread))
            wanted = aggregate.leads_to(item, facts)
        return facts

    @_decide_again
    async def _attempt(
        self,
        stream: str,
        command: Command,
        context: Context,
        expected: Container[int] | None,
        digest: str,
        dry_run: bool,
    ) -> Commit | Rejection:
        loaded = await self.repository.load(stream)
        decision: Decision = await self._decide(loaded, command, context)
        withheld = isinstance(decision, Rejection) and decision.withholds
        if not withheld and expected is not None and loaded.head.version not in expected:
            decision = VersionConflict(stream, loaded.head.version)
        elif not withheld and (full := refusal_of_full(loaded.head, command, context)) is not None:
            decision = full
        if isinstance(decision, Rejection):
            return await self.store.result_of(context, digest) or decision
        if dry_run:
            return self.store.encode(loaded.head, decision, context)
        commit = await self.store.append(loaded.head, decision, context, digest)
        self.repository.after_commit(loaded, commit)
        return commit

    async def _decide(self, loaded: LoadedState, command: Command, context: Context) -> Decision:
        stream = loaded.head.stream
        if isinstance(command, CorrectRecord | VoidRecord):
            return await self._amend(stream, command, context)
        aggregate = self._aggregate_of(stream)
        needs, keys = aggregate.needs(loaded.state, command), aggregate.keys(command)
        known = await self._facts_for(aggregate, command, needs, keys)
        facts = _without_voids(known)
        decision = aggregate.decided(loaded.state, command, stream=stream, facts=facts, context=context)
        if isinstance(decision, Rejection) and decision.kind == "reference" and context.member is None:
            return next((NamesVoid(named) for named in sorted(needs & (known.keys() - facts.keys()))), decision)
        return decision

    async def _amend(self, stream: str, command: CorrectRecord | VoidRecord, context: Context) -> Decision:
        _, recorded = await self.store.read(stream)
        if not recorded:
            return OutOfOrder(type(command).__name__, stream, "not on record")
        if isinstance(command, VoidRecord):
            decision = decide_void(stream, recorded, command, context)
            decision = judged(self._aggregate_of(stream), recorded, command, decision)
            return await self._checked_again(stream, recorded, decision, context)
        return await self._correct(stream, recorded, command, context)

    async def _checked_again(
        self, stream: str, recorded: Sequence[Recorded], decision: Decision, context: Context
    ) -> Decision:
        """Return a decision to void, or the refusal of a fact that it lets hold again as of a new one."""
        if isinstance(decision, Rejection) or context.role == "system":
            return decision
        aggregate = self._aggregate_of(stream)
        for data in (fact.data for fact in facts_again(recorded, decision)):
            if isinstance(data, aggregate.checked_again):
                facts = _without_voids(await self._facts_for(aggregate, data, aggregate.names(data), frozenset()))
                state = aggregate.fold(recorded)
                if refusal := aggregate.check(state, data, stream=stream, facts=facts, now=context.now):
                    return refusal
        return decision

    async def _correct(
        self, stream: str, recorded: Sequence[Recorded], command: CorrectRecord, context: Context
    ) -> Decision:
        aggregate = self._aggregate_of(stream)
        changed = change_of(aggregate, stream, recorded, command)
        if isinstance(changed, Rejection):
            return changed
        before, data = changed
        new_keys = aggregate.keys(data) - aggregate.keys(before)
        facts = _without_voids(await self._facts_for(aggregate, data, aggregate.names(data), new_keys))
        state = aggregate.fold_before(recorded, command.corrects)
        refusal = aggregate.refusal_of(state, data, stream=stream, facts=facts, now=context.now)
        if refusal is not None:
            return replace(refusal, field=f"data.{refusal.field}") if isinstance(refusal, FactRefused) else refusal
        return [correction(command, data)]

    def _aggregate_of(self, stream: str) -> Aggregate[Any]:
        return self.aggregates[stream.partition("/")[0]]


def _without_voids(known: Facts) -> Facts:
    return {stream: each for stream, each in known.items() if not isinstance(each.state, Void)}


def _name_of(command: Command) -> str:
    return type(command).__name__.removesuffix("Request")


def digest_of(stream: str, command: Command) -> str:
    """Return the SHA-256 of a command. Personal fields are encrypted before, so it reveals nothing of them."""
    body = command.model_dump(mode="json", exclude_none=True)
    return sha256_hex(canonical({"command": type(command).__name__, "stream": stream, "body": body}))

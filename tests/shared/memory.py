"""A service in memory: its store, its command handler and its policies, which run when a test says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from shared.domain.aggregate import Aggregate, Command, Context, Known
from shared.domain.rejections import Rejection
from shared.events.canonical import ZERO_HASH
from shared.events.catalogue import Recorded
from shared.events.envelope import hash_of
from shared.events.event import Event
from shared.projection.fold import FoldedState
from shared.projection.policies import Policies, PolicyRunner
from shared.store.command_handler import CommandHandler
from shared.store.event_store import Commit, EventStore, Head


class MemoryStore:
    """The commits of streams, with the interface of an event store."""

    def __init__(self) -> None:
        self.raws: dict[str, list[bytes]] = {}
        self.recorded: dict[str, list[Recorded]] = {}
        self._results: dict[str, Commit] = {}

    async def read(self, stream: str) -> tuple[Head, list[Recorded]]:
        recorded = self.recorded.get(stream, [])
        if not recorded:
            return Head(stream, 0, ZERO_HASH, None), []
        raw = self.raws[stream][-1]
        return Head(stream, len(recorded), hash_of(raw), recorded[-1].time), list(recorded)

    async def read_bytes(self, stream: str) -> list[bytes]:
        return self.raws.get(stream, [])

    async def ends_at(self, head: Head) -> bool:
        return head.version == len(self.recorded.get(head.stream, ()))

    async def result_of(self, context: Context, _digest: str) -> Commit | None:
        return self._results.get(context.command_id)

    async def append(self, head: Head, events: Sequence[Event], context: Context, digest: str) -> Commit:
        if (earlier := await self.result_of(context, digest)) is not None:
            return Commit(earlier.stream, earlier.first, earlier.last, earlier.events, replayed=True)
        commit = EventStore.encode(cast(EventStore, self), head, events, context)
        self.raws.setdefault(commit.stream, []).extend(commit.events)
        self.recorded.setdefault(commit.stream, []).extend(commit.recorded)
        self._results[context.command_id] = commit
        return commit


class _Refusals:
    def __init__(self) -> None:
        self.rules: list[str] = []

    async def record(self, _actor: str, _role: str, rule: str, **_: Any) -> None:
        self.rules.append(rule)


@dataclass
class MemoryService:
    """One service; `foreign` are the streams of its siblings, as it knows them."""

    aggregates: dict[str, Aggregate[Any]]
    foreign: Mapping[str, Known] = field(default_factory=dict)
    reacted: dict[str, int] = field(default_factory=dict)
    commands: int = 0

    def __post_init__(self) -> None:
        self.store, self.refusals = MemoryStore(), _Refusals()
        store, refusals = cast(Any, self.store), cast(Any, self.refusals)
        self.handler = CommandHandler(store, refusals, self.aggregates, self._foreign, self.namesakes)

    async def _foreign(self, stream: str) -> Known | None:
        return self.foreign.get(stream)

    async def known(self, stream: str) -> Known | None:
        return await self.handler.known(stream)

    async def namesakes(self, kind: str, keys: Iterable[str]) -> set[str]:
        """Return the streams of a kind that have one of these keys among their facets."""
        aggregate, streams = self.aggregates[kind], [s for s in self.store.recorded if s.startswith(f"{kind}/")]
        facets = {stream: aggregate.facets(await self.state(stream)) for stream in streams}
        return {stream for stream in streams if {*facets[stream].get("keys", ())} & {*keys}}

    async def handle(self, stream: str, command: Command, context: Context) -> Commit | Rejection:
        return await self.handler.handle(stream, command, context)

    async def execute(self, stream: str, command: Command, role: str = "secretariat") -> Commit | Rejection:
        """Execute a command of a person."""
        self.commands += 1
        key = f"synthetic-command-{self.commands}"
        return await self.handle(stream, command, Context(datetime.now(UTC), "synthetic-actor", role, key, key))

    async def state(self, stream: str) -> Any:
        return (await self.handler.repository.load(stream)).state

    async def run(self, policies: Policies, service: str) -> None:
        """Run the policies on all that was recorded, and on what they record."""
        runner = PolicyRunner(policies, cast(Any, self), cast(Any, self), service, cast(Any, self.store))
        while behind := [s for s, events in self.store.recorded.items() if self.reacted.get(s, 0) < len(events)]:
            versions = {stream: len(self.store.recorded[stream]) for stream in behind}
            await runner.run({stream: FoldedState(stream, None, version, policy_version=self.reacted.get(stream, 0))
                              for stream, version in versions.items()})  # fmt: skip

    async def after(self, versions: Mapping[str, int]) -> dict[str, list[Any]]:
        """Return the journalled events of streams after these versions."""
        return {
            stream: [
                SimpleNamespace(recorded=event, raw=raw, key=(stream, event.streamversion), origin="memory")
                for event, raw in zip(self.store.recorded[stream], self.store.raws[stream], strict=True)
                if event.streamversion > version
            ]
            for stream, version in versions.items()
        }

    async def mark_policies_run(self, states: Sequence[FoldedState]) -> None:
        self.reacted |= {state.stream: state.policy_version for state in states}

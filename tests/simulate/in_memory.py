"""An in-memory store for running simulated commands through the services' real handler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from shared.domain.aggregate import Aggregate, Context, Known
from shared.domain.rejections import Rejection
from shared.events.canonical import ZERO_HASH
from shared.events.catalogue import Recorded, decode
from shared.events.envelope import hash_of
from shared.events.event import Event
from shared.store.command_handler import CommandHandler
from shared.store.event_store import Commit, Head
from tools.simulate.commits import SimulatedCommit
from tools.simulate.platform import OWN, REPLICAS


@dataclass
class StoreInMemory:
    """The streams simulated so far, and the appended events for comparison."""

    streams: dict[str, list[bytes]] = field(default_factory=dict)
    appended: list[Event] = field(default_factory=list)

    async def read(self, stream: str) -> tuple[Head, list[Recorded]]:
        """Return a stream's head and events."""
        raws = self.streams.get(stream, [])
        recorded = [decode(raw) for raw in raws]
        if not recorded:
            return Head(stream, 0, ZERO_HASH, None), []
        return Head(stream, recorded[-1].streamversion, hash_of(raws[-1]), recorded[-1].time), recorded

    async def append(self, head: Head, events: Sequence[Event], _context: Context, _digest: str) -> Commit:
        """Keep the decided events without encoding them."""
        self.appended = list(events)
        return Commit(head.stream, head.version + 1, head.version + len(events), (), replayed=True)

    async def result_of(self, _context: Context, _digest: str) -> None:
        """Return None: no command was executed before."""


class RefusalsInMemory:
    """A store of refusals that fails on any refusal."""

    async def record(self, *args: Any, **more: Any) -> None:
        """Raise AssertionError with the refusal."""
        raise AssertionError((args, more))


async def decided(store: StoreInMemory, commit: SimulatedCommit) -> list[Event] | Rejection:
    """Return the decision of the service's own handler on a simulated command, after the same history."""
    own: dict[str, Aggregate[Any]] = {kind: pair[1] for kind, pair in OWN.items() if pair[0] == commit.service}

    async def replica(stream: str) -> Known | None:
        head, recorded = await store.read(stream)
        _, aggregate = REPLICAS[stream.partition("/")[0]]
        return Known(aggregate.fold(recorded), head.version) if head.version else None

    handler = CommandHandler(cast(Any, store), cast(Any, RefusalsInMemory()), own, replica)
    outcome = await handler.handle(commit.stream, commit.command, commit.context)
    return outcome if isinstance(outcome, Rejection) else store.appended

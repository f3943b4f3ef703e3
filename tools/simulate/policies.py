"""The services' own policies in the simulation: they react to each recorded event with commands, as they do live."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, cast

from services.nominations.subscribers import Policies as OfNominations
from services.notifications.subscribers import Policies as OfNotifications
from services.recommendations.subscribers import Policies as OfRecommendations
from shared.domain.aggregate import Command, Context, Known
from shared.events.event import Event
from shared.events.notifications import SubscriptionAdded, SubscriptionRemoved
from shared.projection.fold import FoldedState
from shared.store.event_store import Commit

REACTION_MS = 40
Execute = Callable[[str, Command, Context, int], Commit]
Lookup = Callable[[str], Known | None]


@dataclass(frozen=True, slots=True)
class PolicyEvent:
    """A recorded event as a policy receives it."""

    id: str
    subject: str
    streamversion: int
    time: str
    correlationid: str
    data: Event

    @property
    def type(self) -> str:
        """The event's type."""
        return self.data.type_name()


class Policies:
    """The policies of all services; `execute` runs their commands a moment later."""

    def __init__(self, execute: Execute, lookup: Lookup) -> None:
        self._execute = execute
        self._lookup = lookup
        self._at = 0
        self._subscriptions = Subscriptions(lookup)
        handlers = cast(Any, self)
        self._of_notifications = OfNotifications(handlers, cast(Any, self._subscriptions), cast(Any, self))
        self._others: tuple[Any, ...] = (OfNominations(handlers, self.known), OfRecommendations(handlers))

    def react(self, recorded: PolicyEvent, at: int) -> None:
        """Run every policy that handles an event."""
        event = cast(Any, recorded)
        for policy in self._others:
            if policy.handles(event):
                self._run(policy.react(event), at)
        self._subscriptions.update(recorded)
        if type(recorded.data).__name__ in self._subscriptions.wanted and self._of_notifications.handles(event):
            self._run(self._of_notifications.react(event), at)

    def _run(self, work: Coroutine[Any, Any, None], at: int) -> None:
        """Run a coroutine that never suspends; its commands may run further policies."""
        before, self._at = self._at, at + REACTION_MS
        try:
            work.send(None)
        except StopIteration:
            return
        finally:
            self._at = before
        raise RuntimeError("a policy suspended, although nothing here can be awaited")

    async def handle(self, stream: str, command: Command, context: Context) -> Commit:
        """Execute a command that a policy derives from an event."""
        return self._execute(stream, command, context, self._at)

    async def known(self, stream: str) -> Known | None:
        """Return a stream's state and version at its owner."""
        return self._lookup(stream)


class Subscriptions:
    """The active subscriptions, queried as the notifications service queries folded states."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._streams: dict[str, tuple[str, ...]] = {}
        self.wanted: frozenset[str] = frozenset()

    def update(self, recorded: PolicyEvent) -> None:
        """Update the set of wanted events."""
        if isinstance(recorded.data, SubscriptionAdded):
            self._streams[recorded.subject] = recorded.data.events
        elif isinstance(recorded.data, SubscriptionRemoved):
            del self._streams[recorded.subject]
        else:
            return
        self.wanted = frozenset(name for names in self._streams.values() for name in names)

    async def find(
        self, _kind: str, facets: Mapping[str, Any], _limit: int, after: str | None = None
    ) -> list[FoldedState]:
        """Return the subscriptions that want an event, all on one page."""
        streams = [] if after else [stream for stream, names in self._streams.items() if facets["event"] in names]
        states = [(stream, self._lookup(stream)) for stream in streams]
        return [FoldedState(stream, known.state, known.version) for stream, known in states if known is not None]

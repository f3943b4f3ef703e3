"""The services' own policies, acting on what was just recorded: they ask for commands as they do live."""

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
    """An event as a policy sees it."""

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
    """The policies of all services; `follow` carries out what one asks for, a moment later."""

    def __init__(self, follow: Execute, look: Lookup) -> None:
        self._follow = follow
        self._look = look
        self._at = 0
        self._subscriptions = Subscriptions(look)
        asked = cast(Any, self._asked)
        self._of_notifications = OfNotifications(asked, cast(Any, self._subscriptions), cast(Any, self))
        self._others: tuple[Any, ...] = (OfNominations(asked, self._known), OfRecommendations(asked))

    def act(self, told: PolicyEvent, at: int) -> None:
        """Let every policy act that hears of an event."""
        event = cast(Any, told)
        for policy in self._others:
            if policy.concerns(event):
                self._run(policy(event), at)
        self._subscriptions.note(told)
        if type(told.data).__name__ in self._subscriptions.wanted and self._of_notifications.concerns(event):
            self._run(self._of_notifications(event), at)

    def _run(self, work: Coroutine[Any, Any, None], at: int) -> None:
        """Run a coroutine that waits for nothing; what it asks for may make policies act in their turn."""
        before, self._at = self._at, at + REACTION_MS
        try:
            work.send(None)
        except StopIteration:
            return
        finally:
            self._at = before
        raise RuntimeError("a policy waited where there is nothing to wait for")

    async def _asked(self, stream: str, command: Command, context: Context) -> Commit:
        return self._follow(stream, command, context, self._at)

    async def _known(self, stream: str) -> Known | None:
        return self._look(stream)


class Subscriptions:
    """The active subscriptions, asked for as the notifications service asks for folded states."""

    def __init__(self, look: Lookup) -> None:
        self._look = look
        self._streams: dict[str, tuple[str, ...]] = {}
        self.wanted: frozenset[str] = frozenset()

    def note(self, told: PolicyEvent) -> None:
        """Keep which events are wanted."""
        if isinstance(told.data, SubscriptionAdded):
            self._streams[told.subject] = told.data.events
        elif isinstance(told.data, SubscriptionRemoved):
            del self._streams[told.subject]
        else:
            return
        self.wanted = frozenset(name for names in self._streams.values() for name in names)

    async def find(
        self, _kind: str, facets: Mapping[str, Any], _limit: int, after: str | None = None
    ) -> list[FoldedState]:
        """Return the subscriptions that want an event, all on one page."""
        wanting = [] if after else [stream for stream, names in self._streams.items() if facets["event"] in names]
        found = [(stream, self._look(stream)) for stream in wanting]
        return [FoldedState(stream, known.state, known.version) for stream, known in found if known is not None]

"""Who hears what, on one screen.

| heard | from | what follows |
|---|---|---|
| every event of the three siblings | Kafka | journal; plan it for the subscriptions that want it and came before |
| SubscriptionAdded | own topic | plan what the subscription wants of what was heard before it, but recorded after it |
| SubscriberErased | own topic | the key is destroyed, should it be there; the person's subscriptions are removed |
| every other event of notifications | own topic | journal and fold only |

The second row is there because topics have no common order: an event may be heard before the subscription that was
recorded before it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

import structlog
from pydantic import ValidationError

from services.notifications.commands import PlanNotification, RemoveSubscription
from services.notifications.domain.subscription import Active
from services.notifications.handlers import Handlers
from shared.domain.aggregate import Command, Context
from shared.domain.rejections import Rejection
from shared.events.catalogue import Recorded
from shared.events.notifications import SubscriberErased, SubscriptionAdded
from shared.events.services import REGISTRY
from shared.projection.journal import Journal
from shared.projection.state_store import StateStore
from shared.runtime.telemetry import NOTIFICATIONS

log = structlog.get_logger()

ANNOUNCED_KINDS = frozenset(kind for service in REGISTRY for kind in service.announced_kinds)
PAGE = 500


class Policies:
    """What this service does of itself when it hears an event; a second time, nothing."""

    def __init__(self, handlers: Handlers, states: StateStore, journal: Journal) -> None:
        self._handlers = handlers
        self._states = states
        self._journal = journal

    def concerns(self, event: Recorded) -> bool:
        """Tell whether an event is one that something follows from."""
        return isinstance(event.data, SubscriptionAdded | SubscriberErased) or _kind(event) in ANNOUNCED_KINDS

    async def __call__(self, event: Recorded) -> None:
        """Plan the notifications that follow from an event: those of it, or those that a new subscription lacks."""
        if isinstance(event.data, SubscriptionAdded):
            async for earlier in self._heard_before(event):
                await self._plan(earlier, event.data.subscription)
        elif isinstance(event.data, SubscriberErased):
            await self._handlers.forget(event.data.person)
            await self._remove_all(event, event.data.person)
        elif _kind(event) in ANNOUNCED_KINDS:
            async for subscription in self._wanted_by(event):
                await self._plan(event, subscription)

    async def _remove_all(self, erased: Recorded, person: str) -> None:
        wanted, after = {"stage": "active", "person": person}, None
        while page := await self._states.find("subscription", wanted, PAGE, after):
            for folded in page:
                command = RemoveSubscription(note="The subscriber was erased.")
                await self._ask(folded.stream, command, "remove-subscription", erased, folded.stream)
            after = page[-1].stream

    async def _wanted_by(self, event: Recorded) -> AsyncIterator[str]:
        wanted, after = {"stage": "active", "event": _name(event)}, None
        while page := await self._states.find("subscription", wanted, PAGE, after):
            for folded in page:
                if folded.state.added_at < event.time:
                    yield folded.state.added.subscription
            after = page[-1].stream

    async def _heard_before(self, added: Recorded) -> AsyncIterator[Recorded]:
        subscription = (await self._states.read([added.subject]))[added.subject].state
        if not isinstance(subscription, Active):
            return
        async for heard in self._journal.all():
            event = heard.recorded
            wanted = _kind(event) in ANNOUNCED_KINDS and _name(event) in subscription.added.events
            if not wanted or event.time <= added.time:
                continue
            if (await self._states.read([event.subject]))[event.subject].version >= event.streamversion:
                yield event

    async def _plan(self, event: Recorded, subscription: str) -> None:
        notification = str(uuid5(NAMESPACE_URL, f"throughline:notification:{event.id}:{subscription}"))
        try:
            command = PlanNotification(
                notification=notification,
                subscription=subscription,
                event_id=event.id,
                event_type=event.type,
                stream=event.subject,
                stream_version=event.streamversion,
                recorded_at=event.time,
            )
        except ValidationError:  # an id that no service of the platform would have given
            log.error("event_cannot_be_told", stream=event.subject, version=event.streamversion)
            return
        if await self._ask(f"notification/{notification}", command, "plan-notification", event, subscription):
            NOTIFICATIONS.labels("notifications", "planned").inc()

    async def _ask(self, stream: str, command: Command, policy: str, event: Recorded, subscription: str) -> bool:
        """Ask for what follows from an event for one subscription. True if it was done now."""
        outcome = await self._handlers(stream, command, _context(policy, event, subscription))
        if isinstance(outcome, Rejection):
            log.warning("policy_refused", policy=policy, event_id=event.id, rule=outcome.rule)
            return False
        return not outcome.replayed


def _context(policy: str, event: Recorded, subscription: str) -> Context:
    return Context(
        now=datetime.now(UTC),
        actor=f"policy:{policy}",
        role="system",
        command_id=str(uuid5(NAMESPACE_URL, f"{event.id}:{policy}:{subscription}")),
        correlation_id=event.correlationid,
        causation_id=event.id,
    )


def _kind(event: Recorded) -> str:
    return event.subject.partition("/")[0]


def _name(event: Recorded) -> str:
    return type(event.data).__name__

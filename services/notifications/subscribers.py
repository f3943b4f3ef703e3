"""Who hears what, on one screen.

| heard | from | what follows |
|---|---|---|
| every event of the three siblings | Kafka | journal; plan it for the subscriptions that want it and came before |
| SubscriptionAdded | own topic | plan what the subscription wants of what was heard before it, but recorded after it |
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

from services.notifications.commands import PlanNotification
from services.notifications.domain.subscription import Active
from services.notifications.handlers import Handlers
from shared.aggregates import Context
from shared.events.catalogue import Recorded
from shared.events.notifications import SubscriptionAdded
from shared.folding import States
from shared.journal import Journal
from shared.rejections import Rejection
from shared.telemetry import NOTIFICATIONS

log = structlog.get_logger()

KINDS_TOLD_OF = frozenset(
    {
        "call", "nomination", "membership",
        "meeting",
        "instrument", "session", "priority", "recommendation", "initiative", "deliverable",
    }
)  # fmt: skip
PAGE = 500


class Policies:
    """What this service does of itself when it hears an event; a second time, nothing."""

    def __init__(self, handlers: Handlers, states: States, journal: Journal) -> None:
        self._handlers = handlers
        self._states = states
        self._journal = journal

    def concerns(self, event: Recorded) -> bool:
        """Tell whether an event is one that something follows from."""
        return isinstance(event.data, SubscriptionAdded) or _kind(event) in KINDS_TOLD_OF

    async def __call__(self, event: Recorded) -> None:
        """Plan the notifications that follow from an event: those of it, or those that a new subscription lacks."""
        if isinstance(event.data, SubscriptionAdded):
            async for earlier in self._heard_before(event):
                await self._plan(earlier, event.data.subscription)
        elif _kind(event) in KINDS_TOLD_OF:
            async for subscription in self._wanted_by(event):
                await self._plan(event, subscription)

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
            wanted = _kind(event) in KINDS_TOLD_OF and _name(event) in subscription.added.events
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
        outcome = await self._handlers(f"notification/{notification}", command, _context(event, subscription))
        if isinstance(outcome, Rejection):
            log.warning("policy_refused", policy="plan-notification", event_id=event.id, rule=outcome.rule)
        elif not outcome.replayed:
            NOTIFICATIONS.labels("notifications", "planned").inc()


def _context(event: Recorded, subscription: str) -> Context:
    return Context(
        now=datetime.now(UTC),
        actor="policy:plan-notification",
        role="system",
        command_id=str(uuid5(NAMESPACE_URL, f"{event.id}:plan-notification:{subscription}")),
        correlation_id=event.correlationid,
        causation_id=event.id,
    )


def _kind(event: Recorded) -> str:
    return event.subject.partition("/")[0]


def _name(event: Recorded) -> str:
    return type(event.data).__name__

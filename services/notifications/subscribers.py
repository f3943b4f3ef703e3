"""Subscribed topics and policies, as one table.

| event | from | effect |
|---|---|---|
| every event of the three siblings | Kafka | journal; plan a notification for each earlier subscription to it |
| SubscriptionAdded | own topic | plan the wanted events that were recorded after it but consumed before it |
| SubscriberErased | own topic | the key is destroyed, should it be there; the person's subscriptions are removed |
| RecordVoided | any topic | what followed from the void event is voided, by the inverse in docs/policies.md |
| every other event of notifications | own topic | journal and fold only |

The second row is there because topics have no common order: this service may consume an event before the subscription
that was recorded earlier.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from uuid import NAMESPACE_URL, uuid5

import structlog
from pydantic import ValidationError

from services.notifications.commands import PlanNotification, RemoveSubscription
from services.notifications.domain.subscription import Active
from services.notifications.handlers import Handlers
from shared.domain.aggregate import Command
from shared.domain.rejections import Rejection
from shared.domain.voids import holding
from shared.events.catalogue import Recorded
from shared.events.notifications import SubscriberErased, SubscriptionAdded
from shared.events.services import REGISTRY
from shared.projection.fold import FoldedState
from shared.projection.journal import Journal
from shared.projection.state_store import StateStore
from shared.runtime.telemetry import NOTIFICATIONS
from shared.store.event_store import Commit
from shared.store.policies import Handle, react

log = structlog.get_logger()

ANNOUNCED_KINDS = frozenset(kind for service in REGISTRY for kind in service.announced_kinds)
PAGE = 500


class Policies:
    """The policies of this service; a second reaction to an event does nothing."""

    def __init__(self, handlers: Handlers, states: StateStore, journal: Journal) -> None:
        self._handlers = handlers
        self.handle: Handle = handlers.handle
        self._states = states
        self._journal = journal

    def handles(self, event: Recorded) -> bool:
        """Tell whether a policy reacts to an event."""
        return isinstance(event.data, SubscriptionAdded | SubscriberErased) or _kind(event) in ANNOUNCED_KINDS

    async def react(self, event: Recorded) -> None:
        """Plan the notifications of an event, or those that a new subscription lacks."""
        if isinstance(event.data, SubscriptionAdded):
            async for earlier in self._earlier(event):
                await self._plan(earlier, event.data.subscription)
        elif isinstance(event.data, SubscriberErased):
            await self._handlers.forget(event.data.person)
            await self._remove_all(event, event.data.person)
        elif _kind(event) in ANNOUNCED_KINDS:
            async for subscription in self._wanted_by(event):
                await self._plan(event, subscription)

    async def affected(self, event: Recorded) -> list[str]:
        """Return the notifications that an event may have, one for each subscription to it."""
        if _kind(event) not in ANNOUNCED_KINDS:
            return []
        folded_states = [folded async for folded in self._subscriptions({"event": _name(event)})]
        return [f"notification/{_notification(event, folded.state.added.subscription)}" for folded in folded_states]

    async def _remove_all(self, erased: Recorded, person: str) -> None:
        async for folded in self._subscriptions({"stage": "active", "person": person}):
            command = RemoveSubscription(note="The subscriber was erased.")
            await self._execute(erased, "remove-subscription", folded.stream, command, folded.stream)

    async def _wanted_by(self, event: Recorded) -> AsyncIterator[str]:
        async for folded in self._subscriptions({"stage": "active", "event": _name(event)}):
            if folded.state.added_at < event.time:
                yield folded.state.added.subscription

    async def _subscriptions(self, wanted: dict[str, str]) -> AsyncIterator[FoldedState]:
        after = None
        while page := await self._states.find("subscription", wanted, PAGE, after):
            for folded in page:
                yield folded
            after = page[-1].stream

    async def _earlier(self, added: Recorded) -> AsyncIterator[Recorded]:
        subscription = (await self._states.read([added.subject]))[added.subject].state
        if not isinstance(subscription, Active):
            return
        async for consumed in self._journal.all():
            event = consumed.recorded
            wanted = _kind(event) in ANNOUNCED_KINDS and _name(event) in subscription.added.events
            if not wanted or event.time <= added.time:
                continue
            version = (await self._states.read([event.subject]))[event.subject].version
            if version >= event.streamversion and await self._holds(event, version):
                yield event

    async def _holds(self, event: Recorded, version: int) -> bool:
        """Tell whether an event of a stream that is folded up to a version holds."""
        history = (await self._journal.after({event.subject: 0}))[event.subject]
        return event.id in {each.id for each in holding([each.recorded for each in history[:version]])}

    async def _plan(self, event: Recorded, subscription: str) -> None:
        notification = _notification(event, subscription)
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
        except ValidationError:  # an id that no service of the platform would give
            log.error("event_cannot_be_announced", stream=event.subject, version=event.streamversion)
            return
        stream = f"notification/{notification}"
        outcome = await self._execute(event, "plan-notification", stream, command, subscription)
        if isinstance(outcome, Commit) and not outcome.replayed:
            NOTIFICATIONS.labels("notifications", "planned").inc()

    async def _execute(
        self, cause: Recorded, policy: str, stream: str, command: Command, target: str
    ) -> Commit | Rejection:
        return await react(self.handle, cause, policy, stream, command, target=target, refusal_level=logging.WARNING)


def _notification(event: Recorded, subscription: str) -> str:
    """Return the id of the notification of an event to a subscription: always the same."""
    return str(uuid5(NAMESPACE_URL, f"throughline:notification:{event.id}:{subscription}"))


def _kind(event: Recorded) -> str:
    return event.subject.partition("/")[0]


def _name(event: Recorded) -> str:
    return type(event.data).__name__

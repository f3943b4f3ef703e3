"""Commands and queries over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter

from services.notifications import commands
from services.notifications.domain.notification import NOTIFICATION, gaps_of, is_tried
from services.notifications.domain.subscription import ANNOUNCED_EVENTS, SUBSCRIPTION, Absent
from services.notifications.handlers import Handlers
from shared.domain.voids import Void, voids_of
from shared.http.auth import AUDITORS, WRITERS, Principal
from shared.http.commands import CommandRoute, add_commands
from shared.http.queries import Gaps, QueryRoute, Show, add_queries, stages_of
from shared.http.routes import StrictRoute
from shared.privacy.key_ring import KeyRing
from shared.projection.fold import FoldedState
from shared.projection.journal import Journal
from shared.projection.state_store import StateStore
from shared.store.correcting import CorrectRecord
from shared.store.voiding import VoidRecord

_SUBSCRIPTION = ("/subscriptions/{subscription}", "subscription/{subscription}")
_NOTIFICATION = ("/notifications/{notification}", "notification/{notification}")

COMMAND_ROUTES = (
    CommandRoute("/subscriptions", commands.AddSubscriptionRequest, _SUBSCRIPTION[1]),
    CommandRoute(f"{_SUBSCRIPTION[0]}/remove", commands.RemoveSubscription, _SUBSCRIPTION[1]),
    CommandRoute(f"{_SUBSCRIPTION[0]}/correct", CorrectRecord, _SUBSCRIPTION[1]),
    CommandRoute(f"{_SUBSCRIPTION[0]}/void", VoidRecord, _SUBSCRIPTION[1]),
    CommandRoute("/subscribers/{person}/erase", commands.EraseSubscriber, "subscriber/{person}"),
    CommandRoute("/subscribers/{person}/correct", CorrectRecord, "subscriber/{person}"),
    CommandRoute("/subscribers/{person}/void", VoidRecord, "subscriber/{person}"),
    CommandRoute(f"{_NOTIFICATION[0]}/resend", commands.ResendNotification, _NOTIFICATION[1]),
    CommandRoute(f"{_NOTIFICATION[0]}/correct", CorrectRecord, _NOTIFICATION[1]),
    CommandRoute(f"{_NOTIFICATION[0]}/void", VoidRecord, _NOTIFICATION[1]),
)


def views(keys: KeyRing, journal: Journal) -> tuple[QueryRoute, ...]:
    """Return the kinds of stream that may be read."""
    subscribed = {"stage": stages_of(SUBSCRIPTION), "event": sorted(ANNOUNCED_EVENTS), "person": ()}
    notified = {"standing": stages_of(NOTIFICATION), "subscription": (), "stream": ()}
    gaps = _gaps_by(journal)
    return (
        QueryRoute("/subscriptions", *_in(_SUBSCRIPTION, "subscription"), subscribed, AUDITORS, _opened_by(keys)),
        QueryRoute("/notifications", *_in(_NOTIFICATION, "notification"), notified, AUDITORS, gaps=gaps),
    )


def router(handlers: Handlers, states: StateStore, keys: KeyRing, journal: Journal) -> APIRouter:
    """Return this service's endpoints."""
    routes = APIRouter(route_class=StrictRoute)
    add_commands(routes, "notifications", COMMAND_ROUTES, handlers.handle)
    add_queries(routes, views(keys, journal), states)
    return routes


def _opened_by(keys: KeyRing) -> Show:
    async def opened(folded: FoldedState, caller: Principal) -> dict[str, Any]:
        """Show a subscription: its subscriber's name and address to the secretariat, ciphertext to auditors."""
        state: dict[str, Any] = folded.state.model_dump(mode="json", exclude_none=True)
        if caller.role not in WRITERS or isinstance(folded.state, Absent | Void):
            return state
        details = await keys.shown(folded.state.added.sealed, ("name", "address"))
        return state | {"details": details} if details else state

    return opened


def _gaps_by(journal: Journal) -> Gaps:
    async def gaps(page: Sequence[FoldedState], _states: StateStore) -> dict[str, list[str]]:
        """Return the gaps between mails that were tried and the events that they are about."""
        tried = {each.stream: each.state.planned for each in page if is_tried(each.state)}
        events = await journal.after({planned.stream: 0 for planned in tried.values()})
        voids = {stream: voids_of([event.recorded for event in history]) for stream, history in events.items()}
        return {stream: gaps_of(planned, voids[planned.stream].keys()) for stream, planned in tried.items()}

    return gaps


def _in(place: tuple[str, str], kind: str) -> tuple[str, str, str]:
    return place[0], kind, place[1]

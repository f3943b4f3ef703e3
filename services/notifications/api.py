"""Commands and queries over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from services.notifications import commands
from services.notifications.domain.notification import NOTIFICATION
from services.notifications.domain.subscription import ANNOUNCED_EVENTS, SUBSCRIPTION, Absent
from services.notifications.handlers import Handlers
from shared.domain.voids import Void
from shared.http.auth import AUDITORS, WRITERS, Principal
from shared.http.commands import CommandRoute, add_commands
from shared.http.queries import QueryRoute, add_queries, stages_of
from shared.http.routes import StrictRoute
from shared.privacy.key_ring import KeyRing
from shared.projection.fold import FoldedState
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


def router(handlers: Handlers, states: StateStore, keys: KeyRing) -> APIRouter:
    """Return this service's endpoints."""

    async def opened(folded: FoldedState, caller: Principal) -> dict[str, Any]:
        """Show a subscription: its subscriber's name and address to the secretariat, ciphertext to auditors."""
        state: dict[str, Any] = folded.state.model_dump(mode="json", exclude_none=True)
        if caller.role not in WRITERS or isinstance(folded.state, Absent | Void):
            return state
        details = await keys.shown(folded.state.added.sealed, ("name", "address"))
        return state | {"details": details} if details else state

    routes = APIRouter(route_class=StrictRoute)
    add_commands(routes, "notifications", COMMAND_ROUTES, handlers.handle)
    subscribed = {"stage": stages_of(SUBSCRIPTION), "event": sorted(ANNOUNCED_EVENTS), "person": ()}
    notified = {"standing": stages_of(NOTIFICATION), "subscription": (), "stream": ()}
    views = (
        QueryRoute("/subscriptions", *_in(_SUBSCRIPTION, "subscription"), subscribed, AUDITORS, opened),
        QueryRoute("/notifications", *_in(_NOTIFICATION, "notification"), notified, AUDITORS),
    )
    add_queries(routes, views, states)
    return routes


def _in(place: tuple[str, str], kind: str) -> tuple[str, str, str]:
    return place[0], kind, place[1]

"""Commands and queries over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter

from services.notifications import commands
from services.notifications.domain.notification import NOTIFICATION, gaps_of, is_tried
from services.notifications.domain.subscription import ANNOUNCED_EVENTS, SUBSCRIPTION, Absent
from services.notifications.domain.waiting import KINDS
from services.notifications.handlers import Handlers
from shared.domain.visibility import sees
from shared.domain.voids import Void, voids_of
from shared.http.auth import Principal
from shared.http.commands import CommandRoute, add_commands
from shared.http.queries import Gaps, QueryRoute, Show, add_queries, plain, stages_of
from shared.http.routes import StrictRoute
from shared.http.waiting import add_waiting
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
        QueryRoute("/subscriptions", *_in(_SUBSCRIPTION, "subscription"), subscribed, _opened_by(keys)),
        QueryRoute("/notifications", *_in(_NOTIFICATION, "notification"), notified, gaps=gaps),
    )


def router(handlers: Handlers, states: StateStore, keys: KeyRing, journal: Journal) -> APIRouter:
    """Return this service's endpoints."""
    routes = APIRouter(route_class=StrictRoute)
    add_commands(routes, "notifications", COMMAND_ROUTES, handlers.handle)
    add_queries(routes, views(keys, journal), states)
    add_waiting(routes, KINDS, states)
    return routes


def _opened_by(keys: KeyRing) -> Show:
    async def show(page: Sequence[FoldedState], _states: StateStore, caller: Principal) -> list[dict[str, Any]]:
        """Show subscriptions: to those who see it, with their subscriber's name and address."""
        added = [each for each in page if not isinstance(each.state, Absent | Void)]
        opened = added if sees(caller, "subscriber", {}) else []
        boxes = await keys.shown([each.state.added.sealed for each in opened], ("name", "address"))
        details = {each.stream: {"details": box} for each, box in zip(opened, boxes, strict=True) if box}
        return [plain(each) | details.get(each.stream, {}) for each in page]

    return show


def _gaps_by(journal: Journal) -> Gaps:
    async def gaps(page: Sequence[FoldedState], _states: StateStore, _caller: Principal) -> dict[str, list[str]]:
        """Return the gaps between mails that were tried and the events that they are about."""
        tried = {each.stream: each.state.planned for each in page if is_tried(each.state)}
        events = await journal.after({planned.stream: 0 for planned in tried.values()})
        voids = {stream: voids_of([event.recorded for event in history]) for stream, history in events.items()}
        return {stream: gaps_of(planned, voids[planned.stream].keys()) for stream, planned in tried.items()}

    return gaps


def _in(place: tuple[str, str], kind: str) -> tuple[str, str, str]:
    return place[0], kind, place[1]

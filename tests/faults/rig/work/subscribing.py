"""Persons who subscribe to events, a few at a time."""

from __future__ import annotations

from tests.faults.rig.work.desks import Desks
from tests.faults.rig.work.world import World

EVENTS = (
    "RecommendationMerged",
    "RecommendationSuperseded",
    "MeetingCancelled",
    "NominationDeclined",
    "PriorityClosed",
)
MOST = 6


def prepare(desks: Desks, world: World) -> None:
    """Add two subscriptions that stay."""
    for _ in range(2):
        _subscribe(desks, world.key("subscription"), ["PriorityClosed"])


def story(desks: Desks, world: World) -> None:
    """Add a subscription; above `MOST`, remove an earlier one, or void it."""
    subscription = world.key("subscription")
    _subscribe(desks, subscription, desks.chance.sample(EVENTS, 2))
    world.subscriptions.add(subscription)
    if len(world.subscriptions.some(desks.chance, MOST + 1)) > MOST and (old := world.subscriptions.take(desks.chance)):
        if desks.likely(0.5):
            desks.secretariat.send("notifications", f"/subscriptions/{old}/remove")
        else:
            desks.secretariat.send("notifications", f"/subscriptions/{old}/void", voids=1, reason="Synthetic mistake")


def _subscribe(desks: Desks, subscription: str, events: list[str]) -> None:
    details = {"name": "Synthetic Reader", "address": f"{subscription}@example.org"}
    desks.secretariat.send("notifications", "/subscriptions", subscription=subscription, details=details, events=events)

"""The lifecycles of subscriptions and of the notifications that policies plan."""

from __future__ import annotations

from services.notifications import commands
from shared.events.values import Sealed
from tools.simulate import wording
from tools.simulate.chance import HOUR, MINUTE
from tools.simulate.world import Lifecycle, World

_EVENTS = (
    ("MeetingConvened", "MeetingCancelled"),
    ("RecommendationAdopted", "CommitteeDispositionRecorded"),
    ("InstrumentSuperseded", "RecommendationWithdrawn"),
)
_SENDER = {"role": "system", "actor": "policy:send-notification"}


def subscribers(world: World) -> Lifecycle:
    """Add a few subscriptions."""
    for events in _EVENTS:
        number = world.next_number()
        key, person = f"syn-subscription-{number}", f"syn-reader-{number}"
        sealed = Sealed(person=person, box=wording.box(world.chance))
        added = commands.AddSubscription(subscription=key, person=person, sealed=sealed, events=events)
        world.execute(f"subscription/{key}", added)
        yield world.soon()


def sending(world: World, stream: str) -> Lifecycle:
    """Attempt a notification: most are delivered first time, some on a second attempt, a few stay uncertain."""
    yield world.now + world.chance.between(300, 4_000)
    attempt = 1
    world.execute(stream, commands.AttemptNotification(), **_SENDER)
    yield world.now + world.chance.between(200, 3_000)
    if world.chance.happens(0.03):
        failed = commands.ReportFailed(attempt=attempt, reason="unreachable", temporary=True)
        world.execute(stream, failed, **_SENDER)
        yield world.now + 5 * MINUTE
        attempt = 2
        world.execute(stream, commands.AttemptNotification(), **_SENDER)
        yield world.now + world.chance.between(200, 3_000)
    if world.chance.happens(0.01):
        world.execute(stream, commands.ReportUncertain(attempt=attempt, reason="no_answer"), **_SENDER)
    else:
        world.execute(stream, commands.ReportDelivered(attempt=attempt, smtp_code=250), **_SENDER)
    yield world.now + HOUR
    world.platform.discard(stream)

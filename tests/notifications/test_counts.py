"""The counts of notifications: an alert sees the first failure, since each count begins at 0."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from services.notifications.sending.sender import Sender
from services.notifications.sending.settings import NotificationSettings
from shared.runtime.telemetry import NOTIFICATIONS, Pulse

NOTHING: Any = None


async def test_every_outcome_is_counted_from_0_before_there_is_one() -> None:
    NOTIFICATIONS.clear()
    settings = NotificationSettings.model_construct(look_every=60.0)
    relay = Pulse("relay")
    relay.fault("synthetic")
    with suppress(TimeoutError):
        async with asyncio.timeout(0.1):
            await Sender(NOTHING, NOTHING, NOTHING, settings, Pulse("sender"), relay).run()
    counts = {
        sample.labels["outcome"]: sample.value
        for family in NOTIFICATIONS.collect()
        for sample in family.samples
        if sample.name == "throughline_notifications_total"
    }
    assert counts == {"delivered": 0, "postponed": 0, "failed": 0, "uncertain": 0}

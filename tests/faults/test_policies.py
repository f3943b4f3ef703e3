"""A policy acts once on each event, also on a stream whose state is remembered between batches."""

from __future__ import annotations

import pytest

from shared.events.catalogue import Recorded
from tests.faults.reading import a_reading
from tests.history import a_history
from tools.local.stack import Stack

pytestmark = pytest.mark.servers


async def test_a_policy_acts_once_on_each_event_however_the_batches_fall(servers: Stack):
    acted: list[tuple[str, int]] = []

    class Noted:
        def handles(self, event: Recorded) -> bool:
            return event.subject.startswith("recommendation/")

        async def react(self, event: Recorded) -> None:
            acted.append((event.subject, event.streamversion))

    history = a_history()
    async with a_reading(servers.mongodb_admin_uri) as reading:
        reading.projector.policies = Noted()
        reading.projector.discard()
        await reading.take(*history.all())
        await reading.take(*history.all())
    events = [(key, n + 1) for key, line in history.records.items() for n in range(len(line))]
    assert sorted(acted) == sorted(event for event in events if event[0].startswith("recommendation/"))

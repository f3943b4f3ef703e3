"""A policy runs once on each event, also on a stream whose state is cached between batches."""

from __future__ import annotations

import pytest

from shared.events.catalogue import Recorded
from tests.faults.reading import a_reading
from tests.history import a_history
from tools.local.stack import Stack

pytestmark = pytest.mark.servers


async def test_a_policy_runs_once_on_each_event_also_when_all_records_are_redelivered(servers: Stack):
    reactions: list[tuple[str, int]] = []

    class Recorder:
        def handles(self, event: Recorded) -> bool:
            return event.subject.startswith("recommendation/")

        async def react(self, event: Recorded) -> None:
            reactions.append((event.subject, event.streamversion))

    history = a_history()
    async with a_reading(servers.mongodb_admin_uri) as reading:
        reading.projector.policies = Recorder()
        reading.projector.discard()
        await reading.take(*history.all())
        await reading.take(*history.all())
    events = [(key, n + 1) for key, records in history.records.items() for n in range(len(records))]
    assert sorted(reactions) == sorted(event for event in events if event[0].startswith("recommendation/"))

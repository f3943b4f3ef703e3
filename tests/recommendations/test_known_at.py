"""The events recorded by a time are a prefix of every stream, read from the journal."""

from __future__ import annotations

import pytest

from shared.consumer.decoding import decode_record
from shared.events.envelope import moment
from tests.faults.reading import a_reading
from tests.history import a_history, composed, with_initiatives
from tests.proofs import TRUST
from tools.local.stack import Stack

pytestmark = pytest.mark.servers


async def test_known_at_a_time_is_the_trace_of_the_events_recorded_by_then(servers: Stack):
    history = with_initiatives(a_history())
    times = sorted({decode_record(record, TRUST).recorded.time for record in history.all()})  # type: ignore[union-attr]
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.projector.project(history.all())
        for time in {*times[:: len(times) // 6], *times[-8:]}:
            prefix = [a for a in history.all() if decode_record(a, TRUST).recorded.time <= time]  # type: ignore[union-attr]
            expected = composed(prefix)
            for reference in ("SYN/2031/R1", "SYN/2031/R2"):
                assert await reading.traces.at(reference, None, time) == expected.get(reference)
        assert moment(times[-1]) > moment(times[0])

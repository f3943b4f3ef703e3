"""One recommendation of 300 long follow-ups, past every limit: it stops by itself, and every other trace is current."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import MongoClient

from shared.domain.aggregate import Context
from shared.events.recommendations import FollowUpReported
from shared.store.event_store import EventStore
from tests.cli.terminal import output_of, throughline
from tests.journey.office import Desk
from tests.patience import AT_MOST_SECONDS
from tools.deployment import grants
from tools.local.stack import Stack, temporary

pytestmark = [pytest.mark.servers, pytest.mark.drill]

SERVICE = "recommendations"
FOLLOW_UPS = 300
FOLLOW_UP = FollowUpReported(progress="under_implementation", note="\u20ac" * 19_000, on="2021")
"""57,000 bytes."""


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    """A stack of its own: on the one that tests share, every replay would name this stream."""
    with temporary(say=lambda _: None) as running:
        yield running


def a_reference() -> str:
    return f"SYN/2031/R{uuid4().int % 99_999 + 1}"


def drafted(desk: Desk, reference: str) -> str:
    desk.send(SERVICE, "/recommendations", reference=reference, title="Synthetic recommendation")
    return reference


async def append_past_the_limit(stack: Stack, stream: str) -> None:
    """Append to the store itself, as one of before the limit may hold it; the command would be refused."""
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(stack.mongodb_admin_uri)
    store = EventStore(client[grants.database(SERVICE)])
    for _ in range(FOLLOW_UPS // 20):
        head, _ = await store.read(stream)
        context = Context(datetime.now(UTC), "synthetic-actor", "secretariat", str(uuid4()), "synthetic")
        await store.append(head, [FOLLOW_UP] * 20, context, "synthetic")
    client.close()


def within(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 4 * AT_MOST_SECONDS
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True


def reasons(stack: Stack) -> dict[str, str]:
    listing = throughline(stack, "stalled", "--service", SERVICE, "--format", "json")
    assert listing.exit_code == 0, listing.output
    streams: dict[str, str] = json.loads(listing.stdout)[SERVICE]
    return streams


def trace_version(desk: Desk, reference: str, at_least: int) -> int:
    answer = desk.query(SERVICE, f"/traces/{reference}", at_least=at_least, wait=30)
    return next(
        version for stream, version, _ in answer["trace"]["based_on"] if stream == f"recommendation/{reference}"
    )


def test_a_trace_that_cannot_be_stored_is_refused_with_its_reason_until_its_next_event(own_stack: Stack):
    desk = Desk(own_stack)
    reference = drafted(desk, a_reference())
    assert trace_version(desk, reference, 1) == 1
    with MongoClient[dict[str, Any]](own_stack.mongodb_admin_uri) as client:
        database = client[grants.database(SERVICE)]
        refused = {"_id": reference, "coverage": {"$exists": True}}
        database.command("collMod", "traces", validator={"$nor": [refused]})
        desk.send(SERVICE, f"/recommendations/{reference}/revise", title="Synthetic, revised")
        assert within(lambda: f"recommendation/{reference}" in reasons(own_stack))
        shown = throughline(own_stack, "trace", reference)
        assert shown.exit_code == 1
        assert "MongoDB refuses its document with error 121" in output_of(shown)
        assert reference not in output_of(throughline(own_stack, "traces"))
        database.command("collMod", "traces", validator={})
    version = desk.send(SERVICE, f"/recommendations/{reference}/revise", title="Synthetic, revised again")["version"]
    assert trace_version(desk, reference, version) == version
    assert reasons(own_stack) == {}


def test_a_stream_that_grew_too_large_stops_alone_and_a_restart_changes_nothing(own_stack: Stack):
    stack = own_stack
    desk = Desk(stack)
    before, large = drafted(desk, a_reference()), drafted(desk, a_reference())
    stream = f"recommendation/{large}"
    asyncio.run(append_past_the_limit(stack, stream))
    for step in ("running", "restarted", "rebuilt"):
        if step == "restarted":
            stack.stop_one(SERVICE)
            stack.start_one(SERVICE)
        elif step == "rebuilt":
            assert throughline(stack, "rebuild").exit_code == 0
        assert within(lambda: stream in reasons(stack)), step
        assert "are stored" in reasons(stack)[stream]
        revise = {"title": f"Synthetic, revised when {step}"}
        version = desk.send(SERVICE, f"/recommendations/{before}/revise", **revise)["version"]
        assert trace_version(desk, before, version) == version, step
        assert trace_version(desk, drafted(desk, a_reference()), 1) == 1, step
        assert 250 < trace_version(desk, large, 250) < FOLLOW_UPS, step
    shown = output_of(throughline(stack, "stalled"))
    assert large in shown
    assert "the state of" in shown
    replayed = throughline(stack, "replay", "--compare")
    assert replayed.exit_code == 0, replayed.output
    assert f"{stream} stops at version" in replayed.output
    assert desk.refused(SERVICE, f"/recommendations/{large}/revise", title="Synthetic") == "StreamIsFull"

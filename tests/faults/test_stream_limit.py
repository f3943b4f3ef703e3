"""G11: a stream has a limit, refused at the command long before MongoDB's own; what it holds is read as before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import bson
import pytest
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase

from services.recommendations import commands
from services.recommendations.app import INDEXES
from services.recommendations.composing import TRACE_LIMIT
from services.recommendations.projection import OWN
from services.recommendations.trace import SHAPE
from shared.consumer.decoding import decode_record
from shared.consumer.record import ConsumedEvent
from shared.domain.aggregate import Command, Context, Known
from shared.domain.rejections import Rejection, StreamIsFull
from shared.events import recommendations as r
from shared.events.envelope import EVENT_LIMIT
from shared.events.event import Event
from shared.projection.fold import FoldedState, fold_on
from shared.projection.state_document import STATE_LIMIT, state_document
from shared.store import stream_limit
from shared.store.command_handler import CommandHandler
from shared.store.correcting import CorrectRecord
from shared.store.event_store import Commit, EventStore
from shared.store.indexes import ensure
from shared.store.refusals import Refusals
from tests.history import History, composed
from tests.proofs import TRUST
from tools.local.stack import Stack

pytestmark = pytest.mark.slow

REFERENCE = "SYN/2031/R1"
STREAM = f"recommendation/{REFERENCE}"
DRAFTED = r.RecommendationDrafted(reference=REFERENCE, title="Synthetic title")
LONG = "\u20ac" * 19_000
REVISED = commands.ReviseRecommendation(title="Synthetic, revised", on="2021")
WITHDRAWN = commands.WithdrawRecommendation(reason="Synthetic: it is full", on="2021")
CORRECTED = CorrectRecord(
    corrects=1, data={"reference": REFERENCE, "title": "Synthetic, corrected"}, reason="Synthetic slip"
)
WHOLE_EVENTS = stream_limit.EVENTS + stream_limit.RESERVED_EVENTS
WHOLE_SIZE = stream_limit.SIZE + stream_limit.RESERVED_SIZE


def a_context(role: str = "secretariat") -> Context:
    return Context(datetime.now(UTC), "synthetic-actor", role, str(uuid4()), "synthetic-correlation")


async def nothing_foreign(_stream: str) -> Known | None:
    return None


def a_handler(database: AsyncIOMotorDatabase[Any]) -> CommandHandler:
    return CommandHandler(EventStore(database), Refusals(database), OWN, nothing_foreign)


@pytest.fixture
async def database(servers: Stack) -> AsyncIterator[AsyncIOMotorDatabase[Any]]:
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(servers.mongodb_admin_uri)
    name = f"limit_{uuid4().hex}"
    await ensure(client[name], INDEXES)
    yield client[name]
    await client.drop_database(name)
    client.close()


async def append(database: AsyncIOMotorDatabase[Any], events: Sequence[Event]) -> None:
    """Append past the limit, as a store of before the limit may hold them."""
    store = EventStore(database)
    for start in range(0, len(events), 100):
        head, _ = await store.read(STREAM)
        await store.append(head, events[start : start + 100], a_context(), "synthetic")


async def outcomes(handler: CommandHandler, *sent: Command, role: str = "secretariat") -> list[str]:
    """Send commands; return `taken` or the rule that refuses each."""
    results = [await handler.handle(STREAM, command, a_context(role)) for command in sent]
    return [each.rule if isinstance(each, Rejection) else "taken" for each in results]


@pytest.mark.servers
@pytest.mark.parametrize("by", ["bytes", "events"])
async def test_a_full_stream_takes_corrections_policies_and_its_closing_alone(
    database: AsyncIOMotorDatabase[Any], by: str
):
    note, count = (LONG, 69) if by == "bytes" else ("Synthetic", stream_limit.EVENTS - 2)
    await append(database, [DRAFTED, *[r.RecommendationRevised(title="Synthetic", note=note)] * count])
    handler = a_handler(database)
    assert await outcomes(handler, commands.ReviseRecommendation(title="Synthetic", note=note)) == ["taken"]
    for again in (handler, a_handler(database)):
        assert await outcomes(again, REVISED, CORRECTED) == ["StreamIsFull", "taken"]
    assert await outcomes(handler, REVISED, role="system") == ["taken"]
    assert await outcomes(handler, WITHDRAWN, REVISED) == ["taken", "StreamIsFull"]


@pytest.mark.servers
async def test_a_stream_past_its_reserve_takes_nothing_and_is_read_as_before(database: AsyncIOMotorDatabase[Any]):
    await append(database, [DRAFTED, *[r.RecommendationRevised(title="Synthetic", note=LONG)] * 90])
    handler = a_handler(database)
    assert await outcomes(handler, REVISED, CORRECTED, WITHDRAWN) == ["StreamIsFull"] * 3
    known = await handler.known(STREAM)
    assert known is not None
    assert known.version == 91


@pytest.mark.servers
async def test_a_retry_of_a_command_that_filled_the_stream_has_its_first_result(database: AsyncIOMotorDatabase[Any]):
    await append(database, [DRAFTED, *[r.RecommendationRevised(title="Synthetic", note=LONG)] * 69])
    handler, context = a_handler(database), a_context()
    last = commands.ReviseRecommendation(title="Synthetic", note=LONG)
    first = await handler.handle(STREAM, last, context)
    assert await outcomes(handler, REVISED) == ["StreamIsFull"]
    again = await handler.handle(STREAM, last, context)
    assert isinstance(first, Commit)
    assert isinstance(again, Commit)
    assert (again.events, again.replayed) == (first.events, True)


def test_the_refusal_names_the_stream_the_limit_and_what_to_do():
    says = StreamIsFull(STREAM, 90, 4_100_000, stream_limit.EVENTS, stream_limit.SIZE).sentence()
    assert STREAM in says
    assert "full at 5000 events or 4000000 bytes" in says
    assert "supersede this one" in says


def streams_at_the_limit() -> dict[str, History]:
    """Return the largest streams that commands can make of a recommendation: of long notes, and of small events."""
    long, many = History(), History()
    long.add(STREAM, DRAFTED)
    many.add(STREAM, DRAFTED)
    while sum(len(record.value or b"") for record in long.records[STREAM]) < WHOLE_SIZE:
        long.add(STREAM, r.FollowUpReported(progress="unknown", note=LONG))
    many.add(STREAM, *[r.FollowUpReported(progress="unknown")] * (WHOLE_EVENTS - 1))
    return {"long notes": long, "small events": many}


@pytest.mark.parametrize("name", ["long notes", "small events"])
def test_a_stream_at_its_limit_has_a_state_and_a_trace_far_below_those_of_mongodb(name: str):
    records = streams_at_the_limit()[name].records[STREAM]
    events = [event for record in records if isinstance(event := decode_record(record, TRUST), ConsumedEvent)]
    assert len(events) <= WHOLE_EVENTS
    assert sum(len(event.raw) for event in events) < WHOLE_SIZE + EVENT_LIMIT
    outcome = fold_on(OWN["recommendation"], FoldedState(STREAM, OWN["recommendation"].initial), events)
    assert outcome is not None
    state = len(bson.encode(state_document(OWN["recommendation"], outcome.folded, SHAPE)))
    trace = len(bson.encode(composed(records)[REFERENCE]))
    assert state < STATE_LIMIT / 2.5
    assert trace < TRACE_LIMIT / 2.5

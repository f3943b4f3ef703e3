"""A membership's end that becomes known late, twice and in two instances: noted once, and the trace has the gap."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from motor.motor_asyncio import AsyncIOMotorDatabase

from services.meetings.app import INDEXES
from services.meetings.commands import RecordAttendance, RecordMeeting
from services.meetings.projection import AGGREGATES, OWN, SHAPE
from services.meetings.subscribers import Policies
from shared.consumer.dead_letters import DeadLetters
from shared.consumer.record import KafkaRecord
from shared.domain.aggregate import Command, Context
from shared.events import recommendations as r
from shared.events.catalogue import decode
from shared.events.nominations import MembershipBegan, MembershipEnded, RecordVoided
from shared.projection.journal import Journal
from shared.projection.projector import Projector
from shared.projection.state_store import StateStore
from shared.store.command_handler import CommandHandler
from shared.store.event_store import Commit, EventStore
from shared.store.indexes import ensure
from shared.store.refusals import Refusals
from tests.faults.reading import Reading, a_reading
from tests.history import History, replayed
from tests.notifications.instance import kafka_record
from tests.proofs import a_decoder
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
MEMBER, REFERENCE = "membership/e1", "SYN/2026/R1"
BEGAN = MembershipBegan(membership="e1", nomination="e1", person="synthetic-person", member="FJI")
AFTER = "An expert of FJI (e1) attended Synthetic forum after the membership had ended on February 2026."


@dataclass
class Instance:
    """An instance of the meetings service; several share a database."""

    database: AsyncIOMotorDatabase[Any]
    commands: CommandHandler = field(init=False)
    projector: Projector = field(init=False)

    def __post_init__(self) -> None:
        store, states = EventStore(self.database), StateStore(self.database, AGGREGATES, SHAPE)
        self.commands = CommandHandler(store, Refusals(self.database), OWN, states.known, states.namesakes)
        policies, dead = Policies(self.commands, states.by_facet), DeadLetters(self.database, "meetings")
        self.projector = Projector(
            Journal(self.database), states, dead, a_decoder(), policies=policies, store=self.commands.store
        )

    async def consume(self, *siblings: KafkaRecord) -> None:
        """Consume these records and every event of this service, as from Kafka."""
        await self.projector.project([*siblings, *await self.own()])

    async def own(self) -> Sequence[KafkaRecord]:
        raws = await self.commands.store.read_bytes("meeting/m1")
        return [kafka_record("throughline.meetings", raw, offset) for offset, raw in enumerate(raws)]

    async def names(self) -> list[str]:
        return [type(decode(record.value).data).__name__ for record in await self.own()]

    async def execute(self, command: Command) -> None:
        key = str(uuid4())
        context = Context(datetime.now(UTC), "synthetic-person", "secretariat", key, key)
        assert isinstance(await self.commands.handle("meeting/m1", command, context), Commit)


async def gaps(reading: Reading, instance: Instance, history: History) -> list[str]:
    """Return the gaps of terms on the stored trace, which is that of a replay."""
    records = [*history.records[f"recommendation/{REFERENCE}"], *await instance.own()]
    await reading.projector.project(records)
    assert await reading.stored() == replayed(records)
    trace = await reading.database.traces.find_one({"_id": REFERENCE})
    assert trace is not None
    return [gap for gap in trace["gaps"] if gap.startswith("An expert")]


async def test_an_end_known_late_is_noted_once_and_its_void_takes_the_note_back(servers: Stack) -> None:
    history, recorded = History(), ["MeetingRecorded", "AttendanceRecorded"]
    seen = {"stream": "meeting/m1", "version": 1}
    drafted = r.RecommendationDrafted(reference=REFERENCE, title="Synthetic")
    history.add(f"recommendation/{REFERENCE}", drafted, r.RecommendationDiscussed(meeting="m1", seen=seen))
    history.add(MEMBER, BEGAN)
    async with a_reading(servers.mongodb_admin_uri) as reading, a_reading(servers.mongodb_admin_uri) as other:
        instances = [Instance(other.database) for _ in range(2)]
        await ensure(other.database, INDEXES)
        await instances[0].consume(*history.records[MEMBER])
        forum = {"meeting": "m1", "title": "Synthetic forum", "kind": "forum", "starts_at": "2026-03-02"}
        await instances[0].execute(RecordMeeting.model_validate(forum))
        await instances[0].execute(RecordAttendance(membership="e1", presence="remote"))
        await instances[1].consume()
        assert await gaps(reading, instances[0], history) == []
        for event, events, shown in (
            (MembershipEnded(reason="term_ended", ended_on="2026-02"), [*recorded, "RecordCorrected"], [AFTER]),
            (RecordVoided(voids=2, reason="Synthetic"), [*recorded, "RecordCorrected", "RecordVoided"], []),
        ):
            history.add(MEMBER, event)
            for _ in range(2):
                await asyncio.gather(*(each.consume(*history.records[MEMBER]) for each in instances))
            assert await instances[0].names() == events
            assert await gaps(reading, instances[1], history) == shown

"""Guards a ledger whose topic was lost: one that is shorter than what was published, absent, or made again.

The relay publishes nothing to such a topic before the whole ledger is published again, in order.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase

from shared.consumer.record import topic_of
from shared.consumer.topic_metadata import TopicState, topic_inspector
from shared.ledger.ledger import Ledger
from shared.ledger.producer import Appended
from shared.ledger.republication import Republication
from shared.ledger.topic_notes import TopicNote, TopicNotes
from shared.runtime.kafka_access import KafkaAccess

LOOK_SECONDS = 30.0
LOOK_TIMEOUT_SECONDS = 20


class TopicBehindLedger(Exception):
    """The topic lacks events that the ledger holds as published: publish the ledger again."""

    def __init__(self, service: str, finding: str) -> None:
        topic = topic_of(service)
        super().__init__(f"{topic} {finding}: nothing is published before you run: throughline republish {service}")


class TopicAbsent(TopicBehindLedger):
    """The topic does not exist."""

    def __init__(self, service: str) -> None:
        super().__init__(service, "does not exist: create it as deploy/topics.yaml declares")


class TopicCheck:
    """The topic of one service, as its relay compares it with ledger and note."""

    def __init__(self, database: AsyncIOMotorDatabase[Any], kafka: KafkaAccess, service: str) -> None:
        self._ledger, self._notes, self._republication = Ledger(database), TopicNotes(database), Republication(database)
        self._kafka, self._service = kafka, service
        self._looked = float("-inf")
        self._note: TopicNote | None = None

    async def state(self) -> TopicState:
        """Return the state of the topic. Raises TopicAbsent, KafkaError, TimeoutError."""
        async with asyncio.timeout(LOOK_TIMEOUT_SECONDS), topic_inspector(self._kafka) as inspector:
            state = await inspector.state(topic_of(self._service))
        if state is None:
            raise TopicAbsent(self._service)
        return state

    async def look(self) -> None:
        """Compare the topic with ledger and note; take the note where there is none. Raises TopicBehindLedger.

        While the ledger is being published again, there is nothing to compare. The topic is read last: another relay
        may publish meanwhile, and what it noted before, the topic holds by then.
        """
        published, note = await self._ledger.published(), await self._notes.read()
        remaining, state = await self._republication.remaining(), await self.state()
        if remaining is None:
            if finding := _finding(published, note, state):
                raise TopicBehindLedger(self._service, finding)
            if note is None or note.uuid != state.uuid:
                note = await self._notes.take(state, state.first)
        self._note, self._looked = note, time.monotonic()

    async def look_if_due(self) -> None:
        """Look every half minute. Raises TopicBehindLedger."""
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            await self.look()

    async def start_of_republication(self) -> int | None:
        """Return the position from which to publish again, or None where that is not requested.

        Begin with the first position, and note the topic as it stands: what it holds so far counts for nothing. After
        an interruption continue, unless the topic was lost again.
        """
        if (remaining := await self._republication.remaining()) is None:
            return None
        note, state = await self._notes.read(), await self.state()
        if remaining.next > 0 and note is not None and _loss(note, state) is None:
            return remaining.next
        await self._republication.begin_again()
        self._note = await self._notes.take(state, state.next)
        return 0

    @property
    def ends(self) -> Mapping[int, int]:
        """The offsets that the topic had reached, by partition, when the relay noted it last; empty without a note."""
        return self._note.ends if self._note is not None else {}

    async def load(self) -> None:
        """Read the note again, which another relay may have taken."""
        self._note = await self._notes.read()

    async def confirm(self, appended: Mapping[int, Appended]) -> dict[str, int]:
        """Return the fields of the note that an append raises. Raises TopicBehindLedger if records were lost."""
        if self._note is None:
            return {}
        if finding := self._note.shortened(appended):
            await self._notes.mark_lost(finding)
            raise TopicBehindLedger(self._service, finding)
        self._note = self._note.raised(appended)
        return self._note.fields(appended)


def _finding(published: int, note: TopicNote | None, state: TopicState) -> str | None:
    """Return what shows that the topic lacks published events, or None."""
    if published == 0:
        return None
    if note is not None and (loss := _loss(note, state)):
        return loss
    if note is None and any(state.first.values()):
        return "lacks its first records"
    if (count := sum(state.next.values())) < published:
        return f"has had at most {count} records, fewer than the {published} events that were published"
    return None


def _loss(note: TopicNote, state: TopicState) -> str | None:
    if state.uuid != note.uuid:
        return "was deleted and made again"
    if note.lost:
        return note.lost
    for partition, end in note.ends.items():
        if state.next.get(partition, 0) < end:
            return (
                f"has lost records: partition {partition} ends at {state.next.get(partition, 0)}, and had reached {end}"
            )
    for partition, first in state.first.items():
        if first > note.starts.get(partition, 0):
            return f"has lost records: partition {partition} begins at offset {first}"
    return None

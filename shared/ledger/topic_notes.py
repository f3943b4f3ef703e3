"""The relay's note of its topic, beside the published position: the topic's UUID and the offsets that it reached.

`{_id: "published", position, topic: uuid, ends: {uuid: {partition: next offset}}, starts: {uuid: {partition: offset}},
lost}`. The offsets stand under the UUID, so that a stale relay's note on a deleted topic harms nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.read_concern import ReadConcern

from shared.consumer.topic_metadata import TopicState
from shared.ledger.producer import Appended
from shared.store.event_store import DURABLE


@dataclass(frozen=True)
class TopicNote:
    """A topic as the relay noted it: each partition must hold all offsets from `starts` to `ends`.

    `lost` says how records were lost, until the ledger is published again.
    """

    uuid: str
    starts: Mapping[int, int]
    ends: Mapping[int, int]
    lost: str | None = None

    def shortened(self, appended: Mapping[int, Appended]) -> str | None:
        """Return what shows that the topic was shorter than noted when records were appended to it."""
        for partition, (first, _) in appended.items():
            if 0 <= first < self.ends.get(partition, 0):
                return f"partition {partition} ended at offset {first}, and had reached {self.ends[partition]}"
        return None

    def raised(self, appended: Mapping[int, Appended]) -> TopicNote:
        """Return the note after an append."""
        ends = {partition: max(end, self.ends.get(partition, 0)) for partition, (_, end) in appended.items()}
        return TopicNote(self.uuid, self.starts, {**self.ends, **ends}, self.lost)

    def fields(self, appended: Mapping[int, Appended]) -> dict[str, int]:
        """Return the stored fields that an append raises."""
        return {f"ends.{self.uuid}.{partition}": end for partition, (_, end) in appended.items()}


class TopicNotes:
    """The note of one service's relay in its database."""

    def __init__(self, database: AsyncIOMotorDatabase[Any]) -> None:
        self._progress = database.get_collection("relay", write_concern=DURABLE, read_concern=ReadConcern("majority"))

    async def read(self) -> TopicNote | None:
        """Return the note, or None where none was taken yet."""
        document = await self._progress.find_one({"_id": "published"}) or {}
        uuid = document.get("topic")
        if uuid is None:
            return None
        starts, ends = (document.get(name, {}).get(uuid, {}) for name in ("starts", "ends"))
        return TopicNote(uuid, _offsets(starts), _offsets(ends), document.get("lost"))

    async def take(self, state: TopicState, starts: Mapping[int, int]) -> TopicNote:
        """Note a topic as it stands, with the offset of each partition from which on its records are whole."""
        note = TopicNote(state.uuid, starts, state.next)
        fields = {
            "topic": note.uuid,
            "starts": {note.uuid: _stored(note.starts)},
            "ends": {note.uuid: _stored(note.ends)},
        }
        update = {"$set": fields, "$setOnInsert": {"position": 0}, "$unset": {"lost": ""}}
        await self._progress.update_one({"_id": "published"}, update, upsert=True)
        return note

    async def mark_lost(self, finding: str) -> None:
        """Keep a finding that later appends would hide."""
        await self._progress.update_one({"_id": "published"}, {"$set": {"lost": finding}})


def _offsets(stored: Mapping[str, int]) -> dict[int, int]:
    return {int(partition): offset for partition, offset in stored.items()}


def _stored(offsets: Mapping[int, int]) -> dict[str, int]:
    return {str(partition): offset for partition, offset in offsets.items()}

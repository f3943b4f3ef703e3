"""How long records of Kafka wait until every group that hears their topic has stored what they mean."""

from __future__ import annotations

import json
from typing import NamedTuple

WATCH = """
import asyncio, json, time
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from shared.events.services import SERVICES
from shared.runtime.settings import KafkaSettings, read
async def main():
    access = read(KafkaSettings).kafka_access().client()
    admin, consumer = AIOKafkaAdminClient(**access), AIOKafkaConsumer(**access)
    await admin.start()
    await consumer.start()
    before = {}
    while True:
        now = time.time()
        found = {}
        for service in SERVICES:
            offsets = await admin.list_consumer_group_offsets(f"throughline.{service}")
            for each, known in offsets.items():
                found[f"{service} {each.topic} {each.partition}"] = each, known.offset
        ends = await consumer.end_offsets({each for each, _ in found.values()})
        for name, (partition, stored) in found.items():
            if before.get(name) != (stored, ends[partition]):
                before[name] = (stored, ends[partition])
                print(json.dumps([round(now, 3), name, stored, ends[partition]]), flush=True)
        await asyncio.sleep(0.25)
asyncio.run(main())
"""


class Delays(NamedTuple):
    """How long the records of one time waited, in seconds; each is good to the time between two samples."""

    records: int
    median: float
    late: float
    longest: float

    def __str__(self) -> str:
        figures = f"median {self.median:.1f} s, of 99 in 100 at most {self.late:.1f} s, longest {self.longest:.1f} s"
        return f"{self.records} records waited to be read: {figures}"


def of(lines: str) -> Delays:
    """Return the delays that the printed changes tell: in each group, from a record's coming until it was read."""
    seconds: list[float] = []
    known: dict[str, tuple[int, list[float]]] = {}
    time = 0.0
    changes = [line for line in lines.splitlines() if line.startswith("[")]  # between them are warnings of the client
    for time, name, stored, end in map(json.loads, changes):
        read, waiting = known.get(name, (stored, []))
        waiting += [time] * (end - read - len(waiting))
        seconds += [time - came for came in waiting[: stored - read]]
        known[name] = (max(stored, read), waiting[max(stored - read, 0) :])
    seconds += [time - came for _, waiting in known.values() for came in waiting]  # they wait still
    seconds.sort()
    return Delays(len(seconds), seconds[len(seconds) // 2], seconds[len(seconds) * 99 // 100], seconds[-1])

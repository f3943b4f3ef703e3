"""aiokafka's fetcher, made to ask an idle broker twice a second and not ten times, with no record later for it.

aiokafka has one fetch under way to each broker, which leaves out the partitions whose records are not consumed yet: a
broker must not hold that fetch for long, because it says nothing of their next records. It may hold a fetch that leaves
out none, because it answers that one at the first record of any partition.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

WHOLE_FETCH_MS = 500
POLL_SECONDS = 1.0
Fetched = Mapping[TopicPartition, list[ConsumerRecord[Any, Any]]]


def install(consumer: Any) -> None:
    """Make the fetcher of a started consumer patient, and each poll of it: FastStream sleeps after an empty one."""
    fetcher = consumer._fetcher
    actions, fetched = fetcher._get_actions_per_node, fetcher.fetched_records

    def patient_actions(assignment: Any) -> Any:
        requests, *others = actions(assignment)
        for node, request in requests:
            led = [partition for partition in assignment.tps if fetcher._select_read_replica(partition) == node]
            if _partition_count(request) == len(led):
                request._max_wait_ms = WHOLE_FETCH_MS
        return requests, *others

    async def patient_poll(partitions: Any, timeout: float, max_records: int | None = None) -> Fetched:  # noqa: ASYNC109
        records: Fetched = await fetched(partitions, max(timeout, POLL_SECONDS), max_records)
        return records

    fetcher._get_actions_per_node, fetcher.fetched_records = patient_actions, patient_poll


def _partition_count(request: Any) -> int:
    """Return how many partitions a request asks for."""
    return sum(len(partitions) for _, partitions in request.topics)

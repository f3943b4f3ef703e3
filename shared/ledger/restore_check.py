"""Guards a ledger after a restore: one that is shorter than its topic, or different from it, must not be extended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.consumer.record import ConsumedEvent, decode_record, topic_of
from shared.consumer.topic_reader import read_topic
from shared.ledger.checkpoint_topic import CHECKPOINTS, checkpoints_published
from shared.ledger.checkpoints import root_at
from shared.ledger.ledger import Ledger
from shared.runtime.kafka_access import KafkaAccess
from shared.tlog.checkpoints import Checkpoint
from shared.tlog.notes import Note, Verifier

LAST_RECORDS = 500


class LedgerBehindTopic(Exception):
    """The topic holds events that the ledger lacks, since a backup was restored: refill it, do not extend it."""

    def __init__(self, service: str, holds: str, finding: str) -> None:
        super().__init__(f"{holds}, {finding}: stop writing and run: throughline refill {service}")

    @classmethod
    def event(cls, service: str, event: ConsumedEvent, finding: str) -> LedgerBehindTopic:
        """Return the finding about an event on the topic."""
        what = f"{event.recorded.subject} version {event.recorded.streamversion} at position {event.position}"
        return cls(service, f"{event.origin} holds {what}", finding)


async def ensure_ledger_matches_topic(
    ledger: Ledger, kafka: KafkaAccess, service: str, keys: Sequence[Verifier] = ()
) -> None:
    """Compare the ledger with its last published checkpoint and its topic's last records. Raises LedgerBehindTopic.

    The relay leaves out no position. So a record is not the relay's, and proves nothing here, if it is no event, has no
    predecessor, or claims a version that the ledger has at another position; consumers dead-letter it.
    """
    await _ensure_matches_checkpoint(ledger, kafka, service, keys)
    published = await _last_published(kafka, topic_of(service))
    if not published:
        return
    last = await ledger.last()
    end, heads = (last.end if last else 0), await ledger.heads()
    entered = await _leaves_from(ledger, min(published))
    for position, events in sorted(published.items()):
        if position not in (0, end) and position - 1 not in published:
            continue
        for event in events.values():
            stream, version = event.key
            if position >= end and heads.get(stream, 0) < version:
                raise LedgerBehindTopic.event(service, event, f"which a ledger of {end} events does not reach")
        if position < end and entered[position] not in events:
            raise LedgerBehindTopic.event(service, next(iter(events.values())), "where the ledger has another event")


async def _ensure_matches_checkpoint(
    ledger: Ledger, kafka: KafkaAccess, service: str, keys: Sequence[Verifier]
) -> None:
    published = await checkpoints_published(kafka, service, keys) if keys else {}
    if not published:
        return
    size = max(published)
    root = await root_at(ledger, size)
    if root is None:
        raise LedgerBehindTopic(
            service, f"{CHECKPOINTS} holds a checkpoint of {size} events", "which the ledger does not reach"
        )
    if root != Checkpoint.parse(Note.parse(published[size]).text).root:
        raise LedgerBehindTopic(
            service, f"{CHECKPOINTS} holds a checkpoint of {size} events", "where the ledger has others"
        )


async def _last_published(kafka: KafkaAccess, topic: str) -> dict[int, dict[str, ConsumedEvent]]:
    """Return the events among the last records of each partition, by position and leaf hash."""
    published: dict[int, dict[str, ConsumedEvent]] = {}
    async for record in read_topic(kafka, topic, last=LAST_RECORDS):
        event = decode_record(record)
        if isinstance(event, ConsumedEvent):
            published.setdefault(event.position, {})[event.leaf] = event
    return published


async def _leaves_from(ledger: Ledger, position: int) -> Mapping[int, str]:
    """Return the ledger's leaf hashes by position, from `position` on."""
    return {
        batch.first + n: entry.leaf
        async for batch in ledger.since(position)
        for n, entry in enumerate(batch.entries)
    }  # fmt: skip

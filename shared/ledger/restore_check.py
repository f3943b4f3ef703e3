"""Guards a ledger after a restore: one that is shorter than its topic, or different from it, must not be extended."""

from __future__ import annotations

from collections.abc import Mapping

from shared.consumer.decoder import CHECKPOINTS, RecordDecoder
from shared.consumer.decoding import decode_record
from shared.consumer.record import ConsumedEvent, topic_of
from shared.consumer.topic_reader import read_topic
from shared.ledger.checkpoint_topic import checkpoints_published
from shared.ledger.checkpoints import root_at
from shared.ledger.ledger import Ledger
from shared.runtime.kafka_access import KafkaAccess
from shared.tlog.checkpoints import Checkpoint
from shared.tlog.notes import Note

LAST_RECORDS = 500
NOT_NOTED: Mapping[int, int] = {}


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
    ledger: Ledger, kafka: KafkaAccess, service: str, decoder: RecordDecoder, ends: Mapping[int, int] = NOT_NOTED
) -> None:
    """Compare the ledger with its last published checkpoint and its topic's last records. Raises LedgerBehindTopic.

    `ends` are the offsets that the topic had reached when the ledger's database knew it last: later records, however
    many, may hold events that the ledger lacks. A record without a valid proof is not the relay's, and tells nothing.
    Nor is one without a predecessor, since the relay leaves out no position: a thief of the key signed it.
    """
    await _ensure_matches_checkpoint(ledger, kafka, service, decoder)
    published = await _last_published(kafka, topic_of(service), decoder, ends)
    if not published:
        return
    last = await ledger.last()
    end = last.end if last else 0
    entered = await _leaves_from(ledger, min(published))
    for position, events in sorted(published.items()):
        if position not in (0, end) and position - 1 not in published:
            continue
        event = next(iter(events.values()))
        if position >= end:
            raise LedgerBehindTopic.event(service, event, f"which a ledger of {end} events does not reach")
        if entered[position] not in events:
            raise LedgerBehindTopic.event(service, event, "where the ledger has another event")


async def _ensure_matches_checkpoint(ledger: Ledger, kafka: KafkaAccess, service: str, decoder: RecordDecoder) -> None:
    await decoder.follow_rotations(now=True)
    published = await checkpoints_published(kafka, service, decoder.trust)
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


async def _last_published(
    kafka: KafkaAccess, topic: str, decoder: RecordDecoder, ends: Mapping[int, int]
) -> dict[int, dict[str, ConsumedEvent]]:
    """Return the proven events among the last records of each partition, by position and leaf hash."""
    published: dict[int, dict[str, ConsumedEvent]] = {}
    async for record in read_topic(kafka, topic, last=LAST_RECORDS, starts=ends):
        item = decode_record(record, decoder.trust)
        if isinstance(item, ConsumedEvent):
            published.setdefault(item.position, {})[item.leaf] = item
    return published


async def _leaves_from(ledger: Ledger, position: int) -> Mapping[int, str]:
    """Return the ledger's leaf hashes by position, from `position` on."""
    return {
        batch.first + n: entry.leaf
        async for batch in ledger.since(position)
        for n, entry in enumerate(batch.entries)
    }  # fmt: skip

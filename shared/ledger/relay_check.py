"""Checks whether a relay may extend its ledger and publish it: neither ledger nor topic lacks what the other holds."""

from __future__ import annotations

import asyncio

import structlog
from aiokafka.errors import KafkaError

from shared.consumer.decoder import RecordDecoder
from shared.consumer.kafka_authorization import raise_if_refused
from shared.ledger.ledger import Ledger
from shared.ledger.restore_check import LedgerBehindTopic, ensure_ledger_matches_topic
from shared.ledger.topic_check import TopicBehindLedger, TopicCheck
from shared.runtime.kafka_access import KafkaAccess
from shared.runtime.telemetry import Pulse
from shared.store.event_store import DISCONNECTED, EventStore

CHECK_TIMEOUT_SECONDS = 60

log = structlog.get_logger()


class RelayCheck:
    """The check of one service's relay: it reports to the relay's pulse, and fences the store or opens it."""

    def __init__(
        self,
        store: EventStore,
        ledger: Ledger,
        topic: TopicCheck,
        kafka: KafkaAccess,
        service: str,
        pulse: Pulse,
        decoder: RecordDecoder,
    ) -> None:
        self._store, self._ledger, self._topic = store, ledger, topic
        self._kafka, self._service, self._pulse, self._decoder = kafka, service, pulse, decoder

    async def passes(self) -> bool:
        """Tell whether the relay may run; fence the store where the topic is ahead of the ledger.

        Without Kafka there is nothing to compare with, and the store takes commands. So it does where the topic lacks
        published events: what is recorded meanwhile is published after the ledger is published again. Raises
        KafkaRefused.
        """
        pool_cleared_count = self._store.pool_cleared_count
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
                await self._topic.state()
                await self._topic.load()
                await ensure_ledger_matches_topic(
                    self._ledger, self._kafka, self._service, self._decoder, self._topic.ends
                )
                await self._topic.look()
        except LedgerBehindTopic as finding:
            self._store.fence(str(finding))
            self._pulse.stop(str(finding))
            log.error("ledger_behind_topic", finding=str(finding))
            return False
        except (TopicBehindLedger, KafkaError, OSError, TimeoutError) as error:
            self.report(error)
            if not isinstance(error, TopicBehindLedger):
                await raise_if_refused(error, self._kafka)
            if self._store.fence_reason == DISCONNECTED:
                self._store.unfence(pool_cleared_count)
            return False
        self._store.unfence(pool_cleared_count)
        return True

    def report(self, error: Exception) -> None:
        """Report what keeps the relay from publishing."""
        if isinstance(error, TopicBehindLedger):
            self._pulse.stop(str(error))
            log.error("topic_behind_ledger", finding=str(error))
        else:
            self._pulse.fault(f"Kafka: {type(error).__name__}")

"""Watches the settings of a service's own topic: a difference from their declaration is an alarm.

A setting that deletes records makes the service not ready: the topic is the history that others rebuild from.
"""

from __future__ import annotations

import asyncio
import time

import structlog
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from shared.consumer.record import topic_of
from shared.consumer.topic_metadata import topic_inspector
from shared.runtime.kafka_access import KafkaAccess
from shared.runtime.settings import CannotStart
from shared.runtime.telemetry import TOPIC_DIFFERENCES, Pulse
from shared.runtime.topic_declaration import Topics

LOOK_SECONDS = 20.0
TURN_SECONDS = 1.0
LOOK_TIMEOUT_SECONDS = 15
DELETING = frozenset({"cleanup.policy", "retention.ms", "retention.bytes"})

log = structlog.get_logger()


class TopicSettingsWatch:
    """The watch of one service's topic. Raises CannotStart where the topic is not declared."""

    def __init__(self, kafka: KafkaAccess, service: str, declared: Topics, pulse: Pulse) -> None:
        self._kafka, self._service, self._topic = kafka, service, topic_of(service)
        self._declared, self._pulse = declared, pulse
        self._deletes = False
        if self._topic not in declared.partitions:
            raise CannotStart(f"THROUGHLINE_TOPICS_FILE: it declares no topic {self._topic}")

    async def run(self) -> None:
        """Look at the settings every LOOK_SECONDS, at the next turn after an error of Kafka's, until cancelled."""
        looked = float("-inf")
        while True:
            if time.monotonic() - looked < LOOK_SECONDS:
                if not self._deletes:
                    self._pulse.beat()
            elif await self._look():
                looked = time.monotonic()
            await asyncio.sleep(TURN_SECONDS)

    async def _look(self) -> bool:
        """Look at the settings; False where Kafka does not answer."""
        try:
            async with asyncio.timeout(LOOK_TIMEOUT_SECONDS):
                self._report(await self._differences())
        except TopicAuthorizationFailedError:
            self._pulse.beat()
            self._pulse.warning = f"{self._topic}: no right to describe its settings (DESCRIBE_CONFIGS)"
            log.warning("topic_settings_not_read", topic=self._topic)
        except (KafkaError, OSError) as error:
            self._pulse.fault(f"Kafka: {type(error).__name__}")
            return False
        return True

    async def _differences(self) -> dict[str, str]:
        """Return what is set and what is declared, by the name of each setting that differs."""
        async with topic_inspector(self._kafka) as inspector:
            partitions = str(await inspector.partitions(self._topic))
            actual = {**await inspector.settings(self._topic), "partitions": partitions}
        declared = {**self._declared.config, "partitions": str(self._declared.partitions[self._topic])}
        return {
            name: f"{name} is {actual.get(name)}, declared {value}"
            for name, value in declared.items()
            if actual.get(name) != value
        }

    def _report(self, differences: dict[str, str]) -> None:
        TOPIC_DIFFERENCES.labels(self._service).set(len(differences))
        self._pulse.beat()
        self._pulse.warning = f"{self._topic}: {'; '.join(differences.values())}" if differences else ""
        if differences:
            log.error("topic_settings_differ", topic=self._topic, differences=sorted(differences.values()))
        self._deletes = bool(differences.keys() & DELETING)
        if self._deletes:
            self._pulse.stop(
                f"{self._pulse.warning}: Kafka may delete history. Set it back, then run: "
                f"throughline republish {self._service}"
            )

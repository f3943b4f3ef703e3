"""Faults of a Kafka that a person named: a refusal says which setting is wrong, an outage which broker is away."""

from __future__ import annotations

import asyncio
import logging

from shared.consumer.kafka_authorization import KafkaRefused, raise_if_refused
from shared.runtime.kafka_access import KafkaAccess
from tools.client.errors import Failure, Unreachable

logging.getLogger("aiokafka").addHandler(logging.NullHandler())  # what it logs is said here, once


def kafka_failure(error: BaseException, kafka: KafkaAccess) -> Failure:
    """Return the failure of a command whose client of Kafka failed."""
    try:
        asyncio.run(raise_if_refused(error, kafka))
    except KafkaRefused as refusal:
        return Failure(f"{refusal}.")
    return Unreachable(f"Kafka at {kafka.bootstrap} does not answer ({type(error).__name__}).")

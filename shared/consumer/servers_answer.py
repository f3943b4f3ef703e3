"""Tells whether the servers on which a service's loops wait answer: MongoDB and Kafka."""

from __future__ import annotations

from typing import Any

from aiokafka.errors import KafkaError
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import PyMongoError

from shared.consumer.record import topic_of
from shared.consumer.topic_metadata import topic_inspector
from shared.runtime.kafka_access import KafkaAccess


async def servers_answer(database: AsyncIOMotorDatabase[Any], kafka: KafkaAccess, service: str) -> bool:
    """Tell whether both answer a question of this service."""
    try:
        await database.command("ping")
        async with topic_inspector(kafka) as inspector:
            await inspector.uuids([topic_of(service)])
    except (PyMongoError, KafkaError, OSError):
        return False
    return True

"""All checks of a deployment, one after another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from tools.deployment.doctor import certificates, kafka, mongodb, services, settings
from tools.deployment.doctor.outcomes import Check, Outcome
from tools.deployment.doctor.target import Target


async def check(target: Target) -> list[Outcome]:
    """Return the outcome of every check."""
    return [
        *await _whole("kafka", kafka.check(target)),
        *await _whole("mongodb", mongodb.check(target)),
        *await _whole("services", services.check(target.services)),
        *await _whole("certificates", certificates.check(target)),
        *settings.check(is_local=target.is_local),
        *target.untried,
    ]


async def _whole(name: str, outcomes: AsyncIterator[Outcome]) -> list[Outcome]:
    """Return the outcomes; a server that goes away half way through is said to be unchecked from there on."""
    whole: list[Outcome] = []
    try:
        async for outcome in outcomes:
            whole.append(outcome)  # noqa: PERF401
    except (KafkaError, PyMongoError, OSError, TimeoutError) as error:
        whole.append(Check(name, "the rest").not_checked(f"it stopped answering ({_kind(error)})"))
    return whole


def _kind(error: Any) -> str:
    return type(error).__name__

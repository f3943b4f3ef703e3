"""Tells Kafka's refusals from its outages: an outage is retried, a wrong password or a missing right ends the process.

A client of aiokafka that is refused at its start raises the same error as one whose broker is away, and one that is
refused later retries for ever; so after any error one connection is made that shows the difference.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.admin import SaslHandShakeRequest

from shared.runtime.kafka_access import KafkaAccess
from shared.runtime.settings import CannotStart

NOT_AUTHORIZED = (TopicAuthorizationFailedError, GroupAuthorizationFailedError, ClusterAuthorizationFailedError)
_NOT_AUTHENTICATED = (SaslAuthenticationFailed, UnsupportedSaslMechanismError, IllegalSaslStateError)
_PROBE_SECONDS = 3.0
_HOW = "throughline users ensure makes the users and rights of deploy/kafka.yaml"


class KafkaRefused(CannotStart):
    """Kafka refuses this process's user, or lacks a right for it; the message names the setting or the right."""


async def raise_if_refused(error: BaseException, kafka: KafkaAccess) -> None:
    """Raise KafkaRefused where an error of a Kafka client is a refusal; return where it may be an outage."""
    if isinstance(error, NOT_AUTHORIZED):
        raise KafkaRefused(f"Kafka at {kafka.bootstrap} refuses the user {kafka.user}: {error}: {_HOW}") from error
    for host, port, _ in collect_hosts(kafka.bootstrap):
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                await _authenticate(host, port, kafka)
        except _NOT_AUTHENTICATED as refusal:
            raise KafkaRefused(
                f"THROUGHLINE_KAFKA_USER: Kafka at {host}:{port} does not accept the user {kafka.user} with this "
                f"password ({refusal}): {_HOW}"
            ) from refusal
        except (KafkaError, OSError, TimeoutError):
            continue
        return


async def _authenticate(host: str, port: int, kafka: KafkaAccess) -> None:
    """Connect as a client does; without a user, ask whether the broker would have one. Raises KafkaError, OSError."""
    connection = await create_conn(host, port, **kafka.connection())
    try:
        if kafka.user is None:
            answer: Any = await connection.send(SaslHandShakeRequest(kafka.mechanism))
            if answer.error_code != IllegalSaslStateError.errno:
                raise UnsupportedSaslMechanismError("it asks for a user and a password")
    finally:
        connection.close()


class ConsumeErrors:
    """The logger of FastStream's consume loop, which tells nobody else of an error: it keeps the last refusal."""

    refusal: BaseException | None = None

    def log(
        self, _level: int, _message: Any, /, *, exc_info: Any = None, extra: Mapping[str, Any] | None = None
    ) -> None:
        """Keep an error that is a refusal of a right."""
        if isinstance(exc_info, NOT_AUTHORIZED):
            self.refusal = exc_info

"""Tells Kafka's refusals from its outages: an outage is retried, and a refusal ends the process.

A refusal is a wrong password, a certificate that is not trusted, TLS on one side only, or a missing right. A client of
aiokafka that is refused at its start raises the same error as one whose broker is away, and one that is refused later
retries for ever; so after any error one connection is made that shows the difference.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
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
from shared.runtime.tls import refuses_certificate, speaks_tls, why_untrusted

NOT_AUTHORIZED = (TopicAuthorizationFailedError, GroupAuthorizationFailedError, ClusterAuthorizationFailedError)
_NOT_AUTHENTICATED = (SaslAuthenticationFailed, UnsupportedSaslMechanismError, IllegalSaslStateError)
_PROBE_SECONDS = 3.0
_HOW = "throughline users ensure makes the users and rights of deploy/kafka.yaml"


class KafkaRefused(CannotStart):
    """Kafka refuses this process's user, or lacks a right for it; the message names the setting or the right."""


def trouble_of(error: BaseException) -> str:
    """Return what `/readyz` says of an error: its class, and no address, since anybody may read it."""
    return f"{'Kafka: ' if isinstance(error, KafkaError) else ''}{type(error).__name__}"


async def raise_if_refused(error: BaseException, kafka: KafkaAccess) -> None:
    """Raise KafkaRefused where an error of a Kafka client is a refusal; return where it may be an outage.

    One broker that accepts this process is enough: clients find the others through it.
    """
    if isinstance(error, NOT_AUTHORIZED):
        raise KafkaRefused(f"Kafka at {kafka.bootstrap} refuses the user {kafka.user}: {error}: {_HOW}") from error
    refusals: list[str] = []
    for host, port, _ in collect_hosts(kafka.bootstrap):
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                await _authenticate(host, port, kafka)
            return
        except _NOT_AUTHENTICATED as refusal:
            refusals.append(
                f"THROUGHLINE_KAFKA_USER: Kafka at {host}:{port} does not accept the user {kafka.user} with this "
                f"password ({refusal}): {_HOW}"
            )
        except (KafkaError, OSError, TimeoutError) as failure:
            if why := await _tls_refusal(failure, host, port, kafka):
                refusals.append(why)
    if refusals:
        raise KafkaRefused(refusals[0]) from error


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


async def _tls_refusal(failure: Exception, host: str, port: int, kafka: KafkaAccess) -> str | None:
    """Return why TLS keeps this process and a broker apart, or None where it does not."""
    where = f"Kafka at {host}:{port}"
    if isinstance(failure, ssl.SSLCertVerificationError):
        return f"THROUGHLINE_KAFKA_CA_FILE: {where} is not trusted: {why_untrusted(failure)}"
    if kafka.tls is None:
        speaks = await speaks_tls(host, port)
        return f"THROUGHLINE_KAFKA_PROTOCOL: {where} speaks TLS, and {kafka.protocol} does not" if speaks else None
    if await _speaks_plainly(host, port):
        return f"THROUGHLINE_KAFKA_PROTOCOL: {where} speaks no TLS, and {kafka.protocol} does"
    with suppress(OSError):
        if await refuses_certificate(host, port, kafka.tls.context()):
            return f"THROUGHLINE_KAFKA_CERT_FILE: {where} refuses the certificate of this process, or wants one"
    return None


async def _speaks_plainly(host: str, port: int) -> bool:
    """Tell whether a broker answers without TLS, where no password is sent."""
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            (await create_conn(host, port)).close()
    except (KafkaError, OSError, TimeoutError):
        return False
    return True


class ConsumeErrors:
    """The logger of FastStream's consume loop, which tells nobody else of an error: it keeps the last refusal."""

    refusal: BaseException | None = None

    def log(
        self, _level: int, _message: Any, /, *, exc_info: Any = None, extra: Mapping[str, Any] | None = None
    ) -> None:
        """Keep an error that is a refusal of a right."""
        if isinstance(exc_info, NOT_AUTHORIZED):
            self.refusal = exc_info

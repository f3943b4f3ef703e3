"""Settings of access to Kafka, of services, command line and tools alike."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from shared.runtime.configuration import Configuration, ReadableFile, Secret, is_production
from shared.runtime.kafka_access import KafkaAccess, Mechanism, Protocol
from shared.runtime.tls import Tls

_OF_ACCESS = frozenset(
    f"kafka_{name}" for name in ("user", "password", "mechanism", "ca_file", "cert_file", "key_file")
)


_BROKER = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")


def are_brokers(text: str) -> bool:
    """Tell whether a text is a list of bootstrap servers."""
    brokers = [_BROKER.fullmatch(each.strip()) for each in text.split(",")]
    return all(broker is not None and 0 < int(broker[1]) < 2**16 for broker in brokers)


def _brokers(text: str) -> str:
    if not are_brokers(text):
        raise ValueError("is no list of HOST:PORT, with commas between")
    return text


def _authorities(file: Path | None) -> Path | None:
    try:
        if file is not None:
            Tls(file).context()
    except OSError as fault:
        raise ValueError(f"{file} holds no certificates in PEM: {_reason(fault)}") from None
    return file


def _reason(fault: OSError) -> str:
    return (fault.reason if isinstance(fault, ssl.SSLError) else fault.strerror) or type(fault).__name__


Authorities = Annotated[ReadableFile, AfterValidator(_authorities)]


class KafkaSettings(Configuration):
    """The settings of access to Kafka."""

    kafka: Annotated[str, AfterValidator(_brokers)] = Field(description="bootstrap servers, host:port[,host:port]")
    kafka_user: str | None = Field(None, description="user of this process; left out: it authenticates by none")
    kafka_password_file: ReadableFile = Field(None, description="path of a file with the password, if that is not set")
    kafka_password: Secret = Field(None, description="password of that user")
    kafka_mechanism: Mechanism = Field("SCRAM-SHA-512", description="how the user authenticates")
    kafka_ca_file: Authorities = Field(
        None, description="path of the CA certificates (PEM) that the brokers' are of; left out: the system's"
    )
    kafka_cert_file: ReadableFile = Field(
        None, description="path of this process's own certificate (PEM), where brokers want one"
    )
    kafka_key_file: ReadableFile = Field(None, description="path of the key of that certificate (PEM, not encrypted)")
    kafka_protocol: Protocol | None = Field(
        None,
        description="left out: with SSL where one of the three files is set, with SASL_ where the user is",
        json_schema_extra={"in_production": "is SASL_SSL; or SSL with a certificate"},
    )

    def kafka_access(self) -> KafkaAccess:
        """Return the access to Kafka that these settings describe."""
        return KafkaAccess.of_settings(self.__dict__)

    @field_validator("kafka_password")
    @classmethod
    def _belongs_to_the_kafka_user(cls, password: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if password is None and info.data.get("kafka_user") is not None and "kafka_password_file" in info.data:
            raise ValueError("THROUGHLINE_KAFKA_USER is set, so set this, or its _FILE")
        return password

    @field_validator("kafka_key_file")
    @classmethod
    def _fits_the_certificate(cls, key: Path | None, info: ValidationInfo) -> Path | None:
        certificate = info.data.get("kafka_cert_file")
        if (certificate is None) != (key is None) and "kafka_cert_file" in info.data:
            raise ValueError("THROUGHLINE_KAFKA_CERT_FILE and this are set together, or neither is")
        try:
            if certificate is not None:
                Tls(None, certificate, key).context()
        except OSError as fault:
            raise ValueError(f"{key} is not the key of {certificate}, or is encrypted: {_reason(fault)}") from None
        return key

    @field_validator("kafka_protocol")
    @classmethod
    def _goes_with_the_rest(cls, protocol: Protocol | None, info: ValidationInfo) -> Protocol | None:
        if not info.data.keys() >= _OF_ACCESS:
            return protocol
        access = KafkaAccess.of_settings({**info.data, "kafka": "", "kafka_protocol": protocol})
        if protocol not in (None, access.protocol):
            raise ValueError(
                f"{protocol} does not go with the user and the certificate files, which say {access.protocol}"
            )
        if is_production(info) and access.tls is None:
            raise ValueError(
                f"in production it is SASL_SSL or SSL, not {access.protocol}: set this, or THROUGHLINE_KAFKA_CA_FILE"
            )
        if is_production(info) and access.user is None and info.data["kafka_cert_file"] is None:
            raise ValueError(
                "in production a process authenticates: set THROUGHLINE_KAFKA_USER, or THROUGHLINE_KAFKA_CERT_FILE"
            )
        return protocol

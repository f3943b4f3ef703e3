"""Access to Kafka: the brokers, the user that a client authenticates as, and TLS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import SecretStr

from shared.runtime.tls import Tls

if TYPE_CHECKING:
    from faststream.security import BaseSecurity

Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]
Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
NO_PASSWORD = SecretStr("")


@dataclass(frozen=True)
class KafkaAccess:
    """Bootstrap servers, a user with its password, and TLS; without a user, no client authenticates by a password."""

    bootstrap: str
    user: str | None = None
    password: SecretStr = NO_PASSWORD
    mechanism: Mechanism = "SCRAM-SHA-512"
    tls: Tls | None = None

    @property
    def protocol(self) -> Protocol:
        """Return the security protocol, as Kafka's clients name it."""
        if self.user is None:
            return "PLAINTEXT" if self.tls is None else "SSL"
        return "SASL_PLAINTEXT" if self.tls is None else "SASL_SSL"

    @property
    def servers(self) -> list[str]:
        """Return the bootstrap servers one by one, as FastStream takes them: it takes one text for one server."""
        return [server.strip() for server in self.bootstrap.split(",")]

    def client(self) -> dict[str, Any]:
        """Return the keyword arguments with which each client of aiokafka connects."""
        return {"bootstrap_servers": self.bootstrap, **self.connection()}

    def connection(self) -> dict[str, Any]:
        """Return the keyword arguments with which a single connection of aiokafka authenticates."""
        arguments: dict[str, Any] = {}
        if self.user is not None:
            arguments = {
                "security_protocol": self.protocol,
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password.get_secret_value(),
            }
        if self.tls is not None:
            arguments |= {"security_protocol": self.protocol, "ssl_context": self.tls.context()}
        return arguments

    def security(self) -> BaseSecurity | None:
        """Return the security of a broker of FastStream; None where there is none."""
        from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

        context = self.tls.context() if self.tls else None
        if self.user is None:
            return BaseSecurity(ssl_context=context) if context else None
        kind = {"SCRAM-SHA-512": SASLScram512, "SCRAM-SHA-256": SASLScram256, "PLAIN": SASLPlaintext}[self.mechanism]
        return kind(username=self.user, password=self.password.get_secret_value(), ssl_context=context)

    @classmethod
    def of_settings(cls, values: Mapping[str, Any]) -> KafkaAccess:
        """Return the access that settings describe; those left out have their defaults."""
        files = [Path(file) if (file := values.get(f"kafka_{name}_file")) else None for name in ("ca", "cert", "key")]
        is_encrypted = any(files) or str(values.get("kafka_protocol")).endswith("SSL")
        tls = Tls(*files) if is_encrypted else None
        if (user := values.get("kafka_user")) is None:
            return cls(values["kafka"], tls=tls)
        password = values.get("kafka_password") or NO_PASSWORD
        secret = SecretStr(password) if isinstance(password, str) else password
        return cls(values["kafka"], user, secret, values.get("kafka_mechanism", "SCRAM-SHA-512"), tls)

    def settings(self) -> dict[str, Any]:
        """Return the settings of which KafkaSettings makes this value again; the password is in clear text."""
        values: dict[str, Any] = {"kafka": self.bootstrap}
        if self.user is not None:
            password = self.password.get_secret_value()
            values |= {"kafka_user": self.user, "kafka_password": password, "kafka_mechanism": self.mechanism}
        if self.tls is not None:
            files = {"ca": self.tls.ca_file, "cert": self.tls.cert_file, "key": self.tls.key_file}
            values |= {f"kafka_{name}_file": str(file) for name, file in files.items() if file is not None}
            values |= {"kafka_protocol": self.protocol}
        return values

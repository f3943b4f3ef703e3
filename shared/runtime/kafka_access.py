"""Access to Kafka: the brokers, and the user that a client authenticates as."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import SecretStr

if TYPE_CHECKING:
    from faststream.security import BaseSecurity

Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]
NO_PASSWORD = SecretStr("")


@dataclass(frozen=True)
class KafkaAccess:
    """Bootstrap servers, and a user with its password; without a user, clients do not authenticate."""

    bootstrap: str
    user: str | None = None
    password: SecretStr = NO_PASSWORD
    mechanism: Mechanism = "SCRAM-SHA-512"

    @property
    def protocol(self) -> str:
        """Return the security protocol, as Kafka's clients name it."""
        return "PLAINTEXT" if self.user is None else "SASL_PLAINTEXT"

    def client(self) -> dict[str, Any]:
        """Return the keyword arguments with which each client of aiokafka connects."""
        return {"bootstrap_servers": self.bootstrap, **self.connection()}

    def connection(self) -> dict[str, Any]:
        """Return the keyword arguments with which a single connection of aiokafka authenticates."""
        if self.user is None:
            return {}
        return {
            "security_protocol": self.protocol,
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.user,
            "sasl_plain_password": self.password.get_secret_value(),
        }

    def security(self) -> BaseSecurity | None:
        """Return the security of a broker of FastStream; None without a user."""
        from faststream.security import SASLPlaintext, SASLScram256, SASLScram512

        if self.user is None:
            return None
        kind = {"SCRAM-SHA-512": SASLScram512, "SCRAM-SHA-256": SASLScram256, "PLAIN": SASLPlaintext}[self.mechanism]
        return kind(username=self.user, password=self.password.get_secret_value(), use_ssl=False)

    def settings(self) -> dict[str, Any]:
        """Return the settings of which KafkaSettings makes this value again; the password is in clear text."""
        if self.user is None:
            return {"kafka": self.bootstrap}
        password = self.password.get_secret_value()
        own = {"kafka_user": self.user, "kafka_password": password, "kafka_mechanism": self.mechanism}
        return {"kafka": self.bootstrap, **own}

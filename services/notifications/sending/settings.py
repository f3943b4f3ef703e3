"""Settings of the notifications service, beside those of every service."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from services.notifications.commands import Address
from services.notifications.sending.smtp_server import Encryption, SmtpServer
from shared.runtime.configuration import InProduction, Port, ReadableFile, Secret
from shared.runtime.kafka_settings import Authorities
from shared.runtime.settings import Settings
from shared.runtime.tls import Tls

_ENCRYPTED = InProduction("is starttls or tls", lambda value: value in ("starttls", "tls"))
_REAL = InProduction("is an address that can be answered", lambda value: not value.endswith(".invalid"))


class NotificationSettings(Settings):
    """SMTP server, timeouts and retries of sending. Times are seconds."""

    smtp_host: str = Field("127.0.0.1", description="host of the SMTP server")
    smtp_port: Port = Field(25, description="its port")
    smtp_ca_file: Authorities = Field(
        None, description="path of the CA certificates (PEM) that its certificate is of; left out: the system's"
    )
    smtp_tls: Annotated[Encryption, _ENCRYPTED] = Field(
        "offered",
        description="encryption: `tls` from the start, by STARTTLS, by STARTTLS where it is `offered`, or none",
    )
    smtp_user: str | None = Field(None, description="user of the login there; left out: no login")
    smtp_password_file: ReadableFile = Field(None, description="path of a file with the password, if that is not set")
    smtp_password: Secret = Field(None, description="password of that user")
    smtp_sender: Annotated[Address, _REAL] = Field("throughline@localhost.invalid", description="address of the sender")
    smtp_timeout: float = Field(40.0, gt=0, description="for each half of a delivery: before the message, and after it")
    retry_first: float = Field(30.0, gt=0, description="pause after the first failure; each further one doubles it")
    retry_longest: float = Field(7_200.0, gt=0, description="the longest of these pauses")
    retry_attempts: int = Field(30, ge=1, description="attempts in all; the last failure is final")
    interrupted_after: float = Field(120.0, description="an attempt without an answer for this long becomes uncertain")
    look_every: float = Field(1.0, gt=0, description="pause between two searches for due notifications")

    def smtp_server(self) -> SmtpServer:
        """Return the SMTP server that these settings describe."""
        tls = Tls(self.smtp_ca_file)
        return SmtpServer(self.smtp_host, self.smtp_port, self.smtp_tls, self.smtp_user, self.smtp_password, tls)

    @field_validator("smtp_user")
    @classmethod
    def _logs_in_encrypted(cls, user: str | None, info: ValidationInfo) -> str | None:
        if user is not None and info.data.get("smtp_tls") in ("none", "offered"):
            raise ValueError("its password would be sent in clear text: set THROUGHLINE_SMTP_TLS to starttls or tls")
        return user

    @field_validator("smtp_password")
    @classmethod
    def _belongs_to_the_smtp_user(cls, password: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if password is None and info.data.get("smtp_user") is not None and "smtp_password_file" in info.data:
            raise ValueError("THROUGHLINE_SMTP_USER is set, so set this, or its _FILE")
        return password

    @field_validator("interrupted_after")
    @classmethod
    def _longer_than_any_delivery(cls, value: float, info: ValidationInfo) -> float:
        if "smtp_timeout" in info.data and value <= 2 * info.data["smtp_timeout"]:
            raise ValueError("must be more than twice smtp_timeout: no sender may still be at work by then")
        return value

    def pause_after(self, attempt: int) -> float:
        """Return the seconds between an attempt that failed and the next."""
        return min(self.retry_longest, self.retry_first * 2.0 ** min(attempt - 1, 60))

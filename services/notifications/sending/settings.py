"""Settings of the notifications service, beside those of every service."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator

from services.notifications.commands import Address
from shared.runtime.settings import Settings


class NotificationSettings(Settings):
    """SMTP server, timeouts and retries of sending. Times are seconds."""

    smtp_host: str = "127.0.0.1"
    smtp_port: int = 25
    smtp_sender: Address = "throughline@localhost.invalid"
    smtp_timeout: float = Field(40.0, gt=0, description="for each half of a delivery: before the message, and after it")
    retry_first: float = Field(30.0, gt=0, description="pause after the first failure; each further one doubles it")
    retry_longest: float = Field(7_200.0, gt=0)
    retry_attempts: int = Field(30, ge=1, description="attempts in all; the last failure is final")
    interrupted_after: float = Field(120.0, description="an attempt without an answer for this long becomes uncertain")
    look_every: float = Field(1.0, gt=0, description="pause between two searches for due notifications")

    @field_validator("interrupted_after")
    @classmethod
    def _longer_than_any_delivery(cls, value: float, info: ValidationInfo) -> float:
        if "smtp_timeout" in info.data and value <= 2 * info.data["smtp_timeout"]:
            raise ValueError("must be more than twice smtp_timeout: no sender may still be at work by then")
        return value

    def pause_after(self, attempt: int) -> float:
        """Return the seconds between an attempt that failed and the next."""
        return min(self.retry_longest, self.retry_first * 2.0 ** min(attempt - 1, 60))

"""Settings from the environment; every variable begins with THROUGHLINE_."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.tlog.keys import LogKeys, origin_of
from shared.tlog.notes import NotAKey


class Settings(BaseSettings):
    """One service's settings. A missing one is an error at start that names the variable."""

    model_config = SettingsConfigDict(env_prefix="THROUGHLINE_", frozen=True)

    kafka: str = Field(description="bootstrap servers, host:port[,host:port]")
    mongodb: SecretStr = Field(description="MongoDB URI with this service's own user")
    database: str = Field(description="this service's own database")
    host: str = "127.0.0.1"
    port: int = 8000
    connections: int = Field(500, ge=10, description="HTTP connections open at a time")
    fronts: str = Field("", description="addresses of fronts whose X-Forwarded-For is true, comma-separated; else none")
    jwks: str = Field(description="path or http(s) address of the JWKS that verifies tokens")
    issuer: str = "throughline-local"
    audience: str = "throughline"
    instance: str | None = Field(None, description="name of this instance; left out: host name and port")
    log_level: str = "INFO"
    batch_records: int = Field(2_000, ge=1, description="records that one batch of the subscriber may hold")
    not_ready_after: float = Field(30.0, gt=0, description="seconds without progress after which /readyz says no")
    deployment: str = Field("local", pattern=r"^[A-Za-z0-9.-]{1,100}$", description="part of the origin of each log")
    checkpoint_keys: SecretStr | None = Field(None, description="the text of a key file (throughline audit keygen)")
    checkpoint_keys_file: Path | None = Field(None, description="path of that file, if the text is not set")
    checkpoint_events: int = Field(1_000, ge=1, description="events after which a checkpoint is signed")
    checkpoint_seconds: float = Field(60.0, gt=0, description="seconds that an event waits for its checkpoint")
    topics_file: Path = Path(__file__).parents[2] / "deploy" / "topics.yaml"

    def log_keys(self, service: str) -> LogKeys:
        """Return the keys that sign the service's log. Raises CannotStart."""
        name = "THROUGHLINE_CHECKPOINT_KEYS" + ("" if self.checkpoint_keys else "_FILE")
        try:
            if self.checkpoint_keys is not None:
                text = self.checkpoint_keys.get_secret_value()
            elif self.checkpoint_keys_file is not None:
                text = self.checkpoint_keys_file.read_text()
            else:
                raise CannotStart(f"{name}: no key to sign checkpoints with: make one with throughline audit keygen")
            return LogKeys.parse(text, origin_of(self.deployment, service))
        except (NotAKey, OSError) as fault:
            raise CannotStart(f"{name}: {fault}") from None


class CannotStart(Exception):
    """A setting cannot be used; the message names the variable."""

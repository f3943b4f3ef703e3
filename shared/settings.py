"""What a process is told by its environment; every name begins with THROUGHLINE_."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """One service's settings. A missing one is an error at start that names the variable."""

    model_config = SettingsConfigDict(env_prefix="THROUGHLINE_", frozen=True)

    kafka: str = Field(description="bootstrap servers, host:port[,host:port]")
    mongodb: SecretStr = Field(description="MongoDB URI with this service's own user")
    database: str = Field(description="this service's own database")
    host: str = "127.0.0.1"
    port: int = 8000
    jwks: str = Field(description="path or http(s) address of the JWKS that tokens are checked against")
    issuer: str = "throughline-local"
    audience: str = "throughline"
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 25
    smtp_sender: str = "throughline@localhost.invalid"
    instance: str | None = Field(None, description="name of this instance; left out: host name and port")
    log_level: str = "INFO"
    batch_records: int = Field(4_000, ge=1, description="records that one batch of the subscriber may hold")
    not_ready_after: float = Field(30.0, gt=0, description="seconds without progress after which /readyz says no")
    topics_file: Path = Path(__file__).parent.parent / "deploy" / "topics.yaml"

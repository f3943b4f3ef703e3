"""Settings of the console from the environment; every variable begins with THROUGHLINE_CONSOLE_."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from cryptography.fernet import Fernet, MultiFernet
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.events.services import SERVICES


class ConsoleSettings(BaseSettings):
    """One console's settings. A missing one is an error at start that names the variable."""

    model_config = SettingsConfigDict(env_prefix="THROUGHLINE_CONSOLE_", frozen=True)

    host: str = "127.0.0.1"
    port: int = 8080
    address: str = Field(description="address that people type, as in https://throughline.example.org")
    services: dict[str, str] = Field(description="JSON: base address of each service by name")
    issuer: str = Field(description="address of the OpenID provider, whose discovery document names it")
    discovery: str | None = Field(None, description="address at which the console itself reaches it, if another")
    client_id: str = "throughline-console"
    client_secret: SecretStr | None = Field(None, description="left out: a public client, protected by PKCE alone")
    scope: str = "openid profile"
    token: Literal["access", "id"] = Field("access", description="the token that services get: it must be a JWT")
    keys: SecretStr = Field(description="Fernet keys of session cookies, newest first, blanks between")
    session_hours: float = Field(10.0, gt=0, le=24)
    time_zone: str = Field("Asia/Bangkok", description="time zone of readers who chose none")
    fronts: str = Field("", description="addresses of fronts whose X-Forwarded-For is true, comma-separated; else none")
    upload_bytes: int = Field(20_000_000, ge=1, description="size of the largest document that a form takes")
    export_events: int = Field(50_000, ge=0, description="events of the largest record that a page exports, verifies")
    trusted_keys_file: Path | None = Field(None, description="public keys of the logs; left out: those in the export")
    verification_file: Path | None = Field(None, description="report of the operators' latest `audit verify`")
    log_level: str = "INFO"

    @property
    def secure(self) -> bool:
        """Tell whether people reach the console by https."""
        return urlsplit(self.address).scheme == "https"

    @property
    def discovery_document(self) -> str:
        """Return the address of the provider's discovery document, as this process reaches it."""
        return f"{(self.discovery or self.issuer).rstrip('/')}/.well-known/openid-configuration"

    def cipher(self) -> MultiFernet:
        """Return the cipher of session cookies: the first key encrypts, each decrypts."""
        return MultiFernet([Fernet(key) for key in self.keys.get_secret_value().split()])

    @field_validator("address")
    @classmethod
    def _is_origin(cls, address: str) -> str:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError("is no origin: write https://HOST[:PORT]")
        if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("is not loopback, so it must begin with https://: sessions are cookies")
        return address.rstrip("/")

    @field_validator("time_zone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("is no time zone: write an IANA name, as in Asia/Bangkok")
        return ZoneInfo(name).key

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if missing := [name for name in SERVICES if name not in self.services]:
            raise ValueError(f"services: gives no address of {', '.join(missing)}")
        try:
            self.cipher()
        except ValueError:
            raise ValueError("keys: a key is no Fernet key: make one with openssl rand -base64 32 | tr +/ -_") from None
        return self

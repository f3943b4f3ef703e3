"""Settings of the console from the environment; every variable begins with THROUGHLINE_CONSOLE_."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from cryptography.fernet import Fernet, MultiFernet
from pydantic import AfterValidator, Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from shared.events.services import SERVICES
from shared.runtime.configuration import (
    MODE,
    PATH,
    PREFIX,
    Configuration,
    Fronts,
    InProduction,
    LogLevel,
    Mode,
    Port,
    ReadableFile,
    written,
)

_BY_HTTPS = InProduction("begins with https://", lambda value: value.startswith("https://"))


class ConsoleSettings(Configuration):
    """One console's settings. A missing one is an error at start that names the variable."""

    model_config = SettingsConfigDict(env_prefix=f"{PREFIX}CONSOLE_", populate_by_name=True)

    mode: Mode = Field("development", validation_alias=MODE, description="as for a service")
    host: str = Field("127.0.0.1", description="address that it listens on; empty: all, of IPv4 and IPv6")
    port: Port = Field(8080, description="port that it listens on")
    metrics_port: Port | None = Field(
        None, description="port of `/metrics`, on the same address; no front may publish it; left out: no metrics"
    )
    address: Annotated[str, _BY_HTTPS] = Field(
        description="what people type, as in `https://throughline.example.org`; without https only on loopback. "
        "With a path (`https://example.org/throughline`), the front takes it away from requests"
    )
    services: dict[str, str] = Field(
        description='JSON: the address of each service, `{"nominations": "http://…", "meetings": …}`'
    )
    issuer: Annotated[str, _BY_HTTPS] = Field(
        description="address of the OpenID provider; its discovery document gives the rest"
    )
    discovery: str | None = Field(None, description="address at which the console itself reaches it, if another")
    client_id: str = Field(
        "throughline-console",
        description="the console's client at the provider; it returns people to `ADDRESS/signed-in` and, once signed "
        "out, `ADDRESS/signed-out`",
    )
    client_secret: Annotated[SecretStr | None, AfterValidator(written)] = Field(
        None, description="left out: a public client; the code flow is protected by PKCE either way"
    )
    scope: str = Field("openid profile", description="what it asks the provider for")
    token: Literal["access", "id"] = Field(
        "access",
        description="the token that the services get, which must be a JWT ([sign-in](sign-in.md))",
    )
    keys: SecretStr = Field(description="Fernet keys of session cookies, newest first, blanks between")
    session_hours: float = Field(10.0, gt=0, le=24, description="a session ends then, or with its token")
    time_zone: str = Field("Asia/Bangkok", description="of readers who chose none")
    fronts: Fronts = Field(
        "",
        description="addresses or networks of fronts whose `X-Forwarded-For` is true, commas between. Sign-in is "
        "limited to 60 requests a minute of one address: without the front's, to so many of all people",
    )
    upload_bytes: int = Field(
        20_000_000,
        ge=1,
        description="the largest document that a form takes; a form with one up to four times as large comes back as "
        "it was typed",
    )
    export_events: int = Field(
        50_000,
        ge=0,
        description="the record's largest size, in events, at which the audit page exports and verifies it; 0: never",
    )
    trusted_keys_file: ReadableFile = Field(
        None,
        description="public keys of the logs, blanks or line feeds between, with which the audit page verifies; left "
        "out: those that the services name",
    )
    verification_file: Path | None = Field(
        None, description="the report of the latest scheduled verification ([console](console.md))"
    )
    log_level: LogLevel = Field("INFO", description="the least level that is logged")

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
        return _cipher(self.keys)

    @property
    def path(self) -> str:
        """Return the path under which a front serves the console; "" where it has the whole host."""
        return urlsplit(self.address).path

    @field_validator("address")
    @classmethod
    def _is_address(cls, address: str) -> str:
        parts = urlsplit(address)
        path = re.fullmatch(PATH, parts.path.rstrip("/"))
        if parts.scheme not in ("http", "https") or not parts.hostname or path is None or parts.query:
            raise ValueError("is no address of a console: write https://HOST[:PORT][/PATH]")
        if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("is not loopback, so it must begin with https://: sessions are cookies")
        return address.rstrip("/")

    @field_validator("time_zone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("is no time zone: write an IANA name, as in Asia/Bangkok")
        return ZoneInfo(name).key

    @field_validator("services")
    @classmethod
    def _has_all(cls, services: dict[str, str]) -> dict[str, str]:
        if missing := [name for name in SERVICES if name not in services]:
            raise ValueError(f"gives no address of {', '.join(missing)}")
        return services

    @field_validator("keys")
    @classmethod
    def _are_keys(cls, keys: SecretStr) -> SecretStr:
        try:
            _cipher(keys)
        except ValueError:
            raise ValueError("a key is no Fernet key: make one with openssl rand -base64 32 | tr +/ -_") from None
        return keys


def _cipher(keys: SecretStr) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys.get_secret_value().split()])

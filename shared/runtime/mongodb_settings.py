"""Settings of access to MongoDB."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from shared.runtime.configuration import Configuration, ReadableFile, Secret, is_production
from shared.runtime.regular_file import check_regular

_TLS = ("tls", "ssl")
_WEAK = ("tlsinsecure", "tlsallowinvalidcertificates", "tlsallowinvalidhostnames")
_BY_CERTIFICATE = "mongodb-x509"
_FILES = ("tlscafile", "tlscertificatekeyfile", "tlscrlfile")


class MongodbSettings(Configuration):
    """The settings of access to MongoDB. TLS is an option of the URI."""

    mongodb: SecretStr = Field(
        description="MongoDB URI with this service's own user, as in "
        "`mongodb://USER@HOST[,HOST]/?replicaSet=NAME&authSource=DATABASE&tls=true&tlsCAFile=PATH`",
        json_schema_extra={"in_production": "names the user and has tls=true; with the password too, in a file"},
    )
    mongodb_password_file: ReadableFile = Field(
        None, description="path of a file with the password, if that is not set"
    )
    mongodb_password: Secret = Field(None, description="password of that user; left out: the URI has it")
    database: str = Field(pattern=r"^[A-Za-z0-9_-]{1,63}$", description="this service's own database")

    def mongodb_options(self) -> dict[str, Any]:
        """Return the keyword arguments with which a client connects, beside the URI."""
        user, _, _ = _parts(self.mongodb.get_secret_value())
        return {"password": self.mongodb_password.get_secret_value()} if user and self.mongodb_password else {}

    @field_validator("mongodb")
    @classmethod
    def _is_safe(cls, uri: SecretStr, info: ValidationInfo) -> SecretStr:
        if is_production(info) and (faults := list(_faults(uri.get_secret_value()))):
            raise ValueError(f"in production it {'; it '.join(faults)}")
        return uri

    @field_validator("mongodb_password")
    @classmethod
    def _belongs_to_the_mongodb_user(cls, password: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        user, own, options = _parts(info.data["mongodb"].get_secret_value() if "mongodb" in info.data else "")
        lacks = user and not own and options.get("authmechanism") != _BY_CERTIFICATE
        if password is None and lacks and "mongodb_password_file" in info.data:
            raise ValueError("THROUGHLINE_MONGODB names a user without a password, so set this, or its _FILE")
        return password


def check_files(uri: str) -> None:
    """Refuse files of TLS that are no regular ones, before the client opens them. Raises OSError, ValueError."""
    for name, value in parse_qsl(uri.partition("?")[2].replace(";", "&")):  # as the client takes them
        if name.lower() in _FILES:
            check_regular(Path(value))


def options_may_be_of_password(uri: str) -> bool:
    """Tell whether the client may take a part of the password for options: one with a ? that is not written as %3F."""
    return "@" in uri.partition("?")[2]


def _faults(uri: str) -> list[str]:
    user, _, options = _parts(uri)
    faults = [] if user or options.get("authmechanism") == _BY_CERTIFICATE else ["names this service's own user"]
    if not uri.startswith("mongodb+srv:") and "true" not in (options.get(name) for name in _TLS):
        faults.append("has tls=true")
    if any(options.get(name) == "false" for name in _TLS):
        faults.append("does not turn TLS off")
    return faults + [f"does not have {name}" for name in _WEAK if options.get(name) == "true"]


def _parts(uri: str) -> tuple[str, str, dict[str, str]]:
    """Return user, password and options of a URI; nothing of one that is none, which the client refuses."""
    try:
        parts = urlsplit(uri)
        options = {name.lower(): value.lower() for name, value in parse_qsl(parts.query)}
        return parts.username or "", parts.password or "", options
    except ValueError:
        return "", "", {}

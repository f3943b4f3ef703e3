"""The deployment that is looked at: addresses, logins, and files with certificates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from shared.events.services import SERVICES
from shared.runtime.kafka_access import KafkaAccess
from shared.runtime.regular_file import read_text
from tools.deployment import kafka_users
from tools.deployment.passwords import password_in
from tools.deployment.secret_files import AUTHORITY, SERVERS

Profile = Literal["local", "deployed"]


@dataclass(frozen=True)
class Target:
    """A deployment; what nobody named is None or empty, and is said to be unchecked."""

    kafka: KafkaAccess | None = None
    mongodb: str | None = None
    """URI of MongoDB with the password of its user."""
    services: Mapping[str, str] = field(default_factory=dict)
    """Base address of each service."""
    profile: Profile = "deployed"
    kafka_passwords: Mapping[str, str] = field(default_factory=dict)
    mongodb_passwords: Mapping[str, str] = field(default_factory=dict)
    unreadable: Mapping[Path, str] = field(default_factory=dict)
    """Files of passwords that could not be read, and why."""
    certificates: Sequence[Path] = ()
    authorities: Sequence[Path] = ()
    is_local: bool = False


@dataclass(frozen=True)
class Secrets:
    """The passwords and certificates in the folder of `throughline deploy init`."""

    kafka: Mapping[str, str]
    mongodb: Mapping[str, str]
    unreadable: Mapping[Path, str]
    certificates: Sequence[Path]


def read_secrets(folder: Path) -> Secrets:
    """Read the passwords that can be read; a file that is absent or forbidden is named with the reason."""
    unreadable: dict[Path, str] = {}
    kafka = _passwords(folder / "kafka/passwords", kafka_users.users(), unreadable)
    mongodb = _passwords(folder / "mongodb/passwords", SERVICES, unreadable)
    return Secrets(kafka, mongodb, unreadable, [folder / name for name in (AUTHORITY, *SERVERS)])


def _passwords(folder: Path, users: Sequence[str], unreadable: dict[Path, str]) -> dict[str, str]:
    passwords: dict[str, str] = {}
    for user in users:
        try:
            passwords[user] = password_in(read_text(folder / user))
        except (OSError, UnicodeDecodeError) as fault:
            why = getattr(fault, "strerror", None) or "it is no text in UTF-8"
            unreadable[folder / user] = f"it cannot be read: {why}"
        except ValueError as fault:
            unreadable[folder / user] = f"it is no password: it {fault}"
    return passwords

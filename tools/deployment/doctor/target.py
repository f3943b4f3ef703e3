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
from tools.deployment.doctor.outcomes import Check, Outcome
from tools.deployment.passwords import AGAIN, password_in
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
    untried: Sequence[Outcome] = ()
    """Passwords that cannot be tried, and why."""
    certificates: Sequence[Path] = ()
    authorities: Sequence[Path] = ()
    is_local: bool = False


@dataclass(frozen=True)
class Secrets:
    """The passwords and certificates in the folder of `throughline deploy init`."""

    kafka: Mapping[str, str]
    mongodb: Mapping[str, str]
    untried: Sequence[Outcome]
    certificates: Sequence[Path]


def read_secrets(folder: Path) -> Secrets:
    """Read the passwords that can be read; a file that is absent, forbidden or spoilt is named with the reason."""
    untried: list[Outcome] = []
    kafka = _passwords(folder / "kafka/passwords", kafka_users.users(), untried)
    mongodb = _passwords(folder / "mongodb/passwords", SERVICES, untried)
    return Secrets(kafka, mongodb, untried, [folder / name for name in (AUTHORITY, *SERVERS)])


def _passwords(folder: Path, users: Sequence[str], untried: list[Outcome]) -> dict[str, str]:
    passwords: dict[str, str] = {}
    for user in users:
        about = Check("secrets", str(folder / user))
        try:
            passwords[user] = password_in(read_text(folder / user))
        except OSError as fault:
            untried.append(about.not_checked(f"it cannot be read: {fault.strerror}"))
        except UnicodeDecodeError:
            untried.append(about.wrong("it is no password: it is no text in UTF-8", AGAIN))
        except ValueError as fault:
            untried.append(about.wrong(f"it is no password: it {fault}", AGAIN))
    return passwords

"""Files of one deployment replaced (docs/backup.md): certificates, their authority, keys, Kafka's administrator.

What has readers that restart at different times is replaced in two steps: first the new one joins the old one, then
the old one is dropped.
"""

from __future__ import annotations

from tools.deployment import certificates, secret_checks
from tools.deployment.messages import CannotStart
from tools.deployment.secret_files import (
    ADMINISTRATOR_OF_KAFKA,
    AUTHORITY,
    AUTHORITY_KEY,
    LOGINS,
    SERVERS,
    jaas,
    new_console_key,
    new_mongodb_key,
    new_password,
    server_certificate,
)
from tools.deployment.secret_folder import SecretFolder

NEW_AUTHORITY_KEY = f"{AUTHORITY_KEY}.new"
MONGODB_KEY, CONSOLE_KEYS = "mongodb/key", "console_keys"
RESTORE = "restore it from the backup of the secrets, or remove it, and run throughline deploy init"
UNFINISHED = "an earlier rotation is not finished: run this with --drop-retired first"


def renew_certificates(folder: SecretFolder) -> list[str]:
    """Give each server another key and certificate, for the names of the present one. Raises CannotStart."""
    folder.read(AUTHORITY_KEY, secret_checks.private_key, RESTORE)
    _certificate(folder, AUTHORITY)
    for path in SERVERS:
        folder.replace(path, server_certificate(folder, certificates.names(_certificate(folder, path))))
    return list(SERVERS)


def renew_authority(folder: SecretFolder) -> list[str]:
    """Put another authority, which signs from now on, before the present one. Raises CannotStart.

    Its key stays beside the present one until the certificate is written: interrupted, it can be run again.
    """
    present, new = _certificate(folder, AUTHORITY), folder.root / NEW_AUTHORITY_KEY
    if not new.exists():
        _one(certificates.count(present), AUTHORITY)
        folder.add(NEW_AUTHORITY_KEY, certificates.new_key(), like=AUTHORITY_KEY)
    if not certificates.belong_together(folder.read(NEW_AUTHORITY_KEY), present):
        folder.replace(AUTHORITY, certificates.renewed_authority(folder.read(NEW_AUTHORITY_KEY), present) + present)
    folder.replace(AUTHORITY_KEY, folder.read(NEW_AUTHORITY_KEY))
    new.unlink()
    return [AUTHORITY, AUTHORITY_KEY]


def drop_retired_authority(folder: SecretFolder) -> list[str]:
    """Leave the newest authority alone; every server must have a certificate of it. Raises CannotStart."""
    newest = certificates.first(_certificate(folder, AUTHORITY))
    if others := [path for path in SERVERS if not certificates.is_issued_by(_certificate(folder, path), newest)]:
        raise CannotStart(f"{', '.join(others)}: of the old authority; run throughline rotate certificates first")
    folder.replace(AUTHORITY, newest)
    return [AUTHORITY]


def renew_kafka_administrator(folder: SecretFolder) -> list[str]:
    """Replace the passwords of Kafka's administrator and of its brokers among themselves. Raises CannotStart."""
    folder.replace(ADMINISTRATOR_OF_KAFKA, new_password())
    folder.replace(LOGINS, jaas(folder.read(ADMINISTRATOR_OF_KAFKA).strip()))
    return [ADMINISTRATOR_OF_KAFKA, LOGINS]


def renew_mongodb_key(folder: SecretFolder) -> list[str]:
    """Put another key of MongoDB's members behind the present one. Raises CannotStart."""
    present = _mongodb_keys(folder)
    _one(len(present), MONGODB_KEY)
    folder.replace(MONGODB_KEY, "".join(f"- {key}\n" for key in [*present, new_mongodb_key().strip()]))
    return [MONGODB_KEY]


def drop_retired_mongodb_key(folder: SecretFolder) -> list[str]:
    """Leave the newest key of MongoDB's members alone. Raises CannotStart."""
    folder.replace(MONGODB_KEY, _mongodb_keys(folder)[-1] + "\n")
    return [MONGODB_KEY]


def renew_console_keys(folder: SecretFolder) -> list[str]:
    """Put another key of the console's cookies before the present one. Raises CannotStart."""
    present = _console_keys(folder)
    _one(len(present.split()), CONSOLE_KEYS)
    folder.replace(CONSOLE_KEYS, new_console_key() + present)
    return [CONSOLE_KEYS]


def drop_retired_console_keys(folder: SecretFolder) -> list[str]:
    """Leave the newest key of the console's cookies alone. Raises CannotStart."""
    folder.replace(CONSOLE_KEYS, _console_keys(folder).split()[0] + "\n")
    return [CONSOLE_KEYS]


def _certificate(folder: SecretFolder, path: str) -> str:
    return folder.read(path, secret_checks.certificate, RESTORE)


def _console_keys(folder: SecretFolder) -> str:
    return folder.read(CONSOLE_KEYS, secret_checks.key_of_console, RESTORE)


def _mongodb_keys(folder: SecretFolder) -> list[str]:
    """Return the keys, oldest first. Raises CannotStart."""
    return secret_checks.keys_of_mongodb(folder.read(MONGODB_KEY, secret_checks.keys_of_mongodb, RESTORE))


def _one(count: int, path: str) -> None:
    if count != 1:
        raise CannotStart(f"{path}: {UNFINISHED}")

"""`throughline rotate`: certificates, keys and logins in the folder that `throughline deploy init` made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from tools.client.errors import Failure, exits
from tools.deployment import renewal
from tools.deployment.messages import CannotStart
from tools.deployment.secret_folder import SecretFolder
from tools.render.terminal import print_line

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the secrets (throughline deploy init).")]
DropRetired = Annotated[bool, typer.Option("--drop-retired", help="The second step: drop what was replaced.")]


def certificates(folder: Folder) -> None:
    """Give each server another key and certificate, for the names of the present one; then restart the servers.

    Example: throughline rotate certificates deploy/secrets

    Clients trust the authority, which stays: they need no restart. Owners and modes of the files stay; only root can
    write those of other users, so that it runs in the image (docs/compose.md).

    Exit code: 0 when all files are replaced; 1 when one cannot be.
    """
    _do(folder, renewal.renew_certificates, "Restart Kafka and MongoDB, one member after another.")


def authority(folder: Folder, *, drop_retired: DropRetired = False) -> None:
    """Replace the authority of the servers' certificates in steps, at each of which clients and servers trust.

    Example: throughline rotate authority deploy/secrets

    First the new authority joins the old one: restart everything that trusts it. Then run `rotate certificates`, and
    restart the servers. Then run this with --drop-retired, and restart everything at leisure.

    Exit code: 0 when the files are replaced; 1 when one cannot be, or when the step before was left out.
    """
    if drop_retired:
        _do(folder, renewal.drop_retired_authority, "The old one is trusted until everything has been restarted.")
    else:
        then = "Restart servers, services and console; then run throughline rotate certificates."
        _do(folder, renewal.renew_authority, then)


def kafka_administrator(folder: Folder) -> None:
    """Replace the passwords of Kafka's administrator and of its brokers; then restart all brokers together.

    Example: throughline rotate kafka-administrator deploy/secrets

    Until then jobs are refused, and services go on. Run it again if it was interrupted.

    Exit code: 0 when the files are replaced; 1 when one cannot be.
    """
    _do(folder, renewal.renew_kafka_administrator, "Restart all brokers together: they know each other by it, too.")


def mongodb_key(folder: Folder, *, drop_retired: DropRetired = False) -> None:
    """Replace the key by which MongoDB's members know each other, in two steps.

    Example: throughline rotate mongodb-key deploy/secrets

    First the new key joins the old one: restart one member after another. Then run it with --drop-retired, and restart
    them again.

    Exit code: 0 when the file is replaced; 1 when it cannot be, or when a rotation is not finished.
    """
    step = renewal.drop_retired_mongodb_key if drop_retired else renewal.renew_mongodb_key
    _do(folder, step, "Restart MongoDB, one member after another.")


def console_keys(folder: Folder, *, drop_retired: DropRetired = False) -> None:
    """Replace the key of the console's cookies, in two steps: nobody is signed out.

    Example: throughline rotate console-keys deploy/secrets

    First the new key joins the old one: restart the console. Run it with --drop-retired a day later, when no cookie of
    the old key is left, and restart the console. In a hurry, do both at once: everybody signs in again.

    Exit code: 0 when the file is replaced; 1 when it cannot be, or when a rotation is not finished.
    """
    step = renewal.drop_retired_console_keys if drop_retired else renewal.renew_console_keys
    _do(folder, step, "Restart the console.")


def _do(folder: Path, step: Callable[[SecretFolder], list[str]], then: str) -> None:
    with exits():
        try:
            replaced = step(SecretFolder(folder))
        except CannotStart as fault:
            raise Failure(f"{fault}.") from None
        print_line(f"Replaced in {folder}: {', '.join(replaced)}. {then}")

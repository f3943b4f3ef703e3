"""`throughline users`: who may do what on Kafka."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from shared.runtime.kafka_access import KafkaAccess
from tools.client.connection import Home, Kafka, configured_kafka
from tools.client.errors import BadInput, Failure, Unreachable, exits
from tools.client.stack_home import DEFAULT_HOME, StackHome
from tools.deployment import kafka_users
from tools.deployment.passwords import read_password
from tools.files import NotAFile, alone_in, make_folder, write_named
from tools.render.terminal import print_line


def ensure(
    kafka: Kafka = None,
    passwords: Annotated[
        Path | None,
        typer.Option(
            envvar="THROUGHLINE_KAFKA_PASSWORDS",
            metavar="DIR",
            help="Folder with one file for each user, which holds its password; an absent one is generated.",
        ),
    ] = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Make the users of Kafka and their rights, as deploy/kafka.yaml declares them; it can be run again.

    Example: throughline users ensure --kafka broker:9092 --passwords DIR/kafka/passwords

    The administrator is the user of THROUGHLINE_KAFKA_USER and THROUGHLINE_KAFKA_PASSWORD (or its _FILE), with
    THROUGHLINE_KAFKA_MECHANISM. Each declared user gets its password anew and the declared rights, and loses all
    others; other users keep what they have. A service reads the same file by THROUGHLINE_KAFKA_PASSWORD_FILE.

    Exit code: 0 when users and rights are as declared; 1 when Kafka does not answer, or refuses
    to make them; 2 for bad input; 3 when no
    stack and no Kafka is named.
    """
    with exits():
        try:
            with _named(kafka, passwords) if kafka else nullcontext(_local(home)) as (admin, users):
                kafka_users.ensure(admin, users)
        except kafka_users.NotGranted as failure:
            raise Failure(str(failure)) from None
        print_line(f"Users of Kafka and their rights are as declared: {', '.join(users)}.")


@contextmanager
def _named(bootstrap: str, folder: Path | None) -> Iterator[tuple[KafkaAccess, dict[str, str]]]:
    """Yield the access to a named Kafka and the passwords in a folder, in which no rotation replaces them meanwhile."""
    if folder is None:
        raise BadInput("--passwords: name the folder with the passwords of the users; absent ones are generated.")
    inner = next((path for path in (folder / "passwords", folder / "kafka/passwords") if os.path.isdir(path)), None)
    if inner and not any(os.path.exists(folder / user) for user in kafka_users.users()):
        raise BadInput(f"--passwords: {folder} holds no password, and new ones would shut everybody out: name {inner}.")
    admin = configured_kafka(bootstrap)
    try:
        make_folder(folder)
        with alone_in(folder):
            yield admin, _passwords(folder)
    except NotAFile as fault:
        raise BadInput(f"--passwords: {fault}.") from None


def _passwords(folder: Path) -> dict[str, str]:
    """Return the passwords in a folder; generate those that have no file. Raises NotAFile."""
    for user in kafka_users.users():
        if not os.path.exists(folder / user):
            write_named(folder / user, secrets.token_urlsafe(24) + "\n")
    return {user: read_password(folder / user) for user in kafka_users.users()}


def _local(home: Path) -> tuple[KafkaAccess, dict[str, str]]:
    stack = StackHome(home)
    try:
        admin, users = stack.kafka_admin(), stack.kafka_passwords()
    except LookupError:
        raise Unreachable("Nothing says where Kafka is: name it (--kafka HOST:PORT), or start a stack.") from None
    if not users:
        raise Failure("The Kafka of this stack has no rights: it was started with --no-rights.")
    return admin, users

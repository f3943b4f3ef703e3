"""`throughline rotate`: passwords replaced by generated ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from shared.events.services import SERVICES
from tools.cli.named_mongodb import ADMIN_MONGODB, password_option, uri_option, with_password_of
from tools.cli.options import service_named
from tools.client.connection import Home, Kafka, configured_kafka
from tools.client.errors import BadInput, Failure, Unreachable, exits
from tools.client.mongodb_errors import mongodb_answers
from tools.client.stack_home import DEFAULT_HOME, StackHome
from tools.deployment import kafka_users
from tools.deployment.mongodb import ADMINISTRATOR
from tools.deployment.rotation import Folder, Passwords, Secrets, set_in_mongodb
from tools.deployment.rotation import rotate as rotate_passwords
from tools.files import NotAFile
from tools.render.terminal import print_line

PasswordFolder = Annotated[
    Path | None,
    typer.Option("--passwords", metavar="DIR", help="Folder with one file for each user, which holds its password."),
]


def kafka(
    users: Annotated[
        list[str] | None, typer.Argument(metavar="[USER]...", help="Declared users; all where none is named.")
    ] = None,
    bootstrap: Kafka = None,
    passwords: PasswordFolder = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Replace passwords of Kafka's users by generated ones; then restart the services that use them.

    Example: throughline rotate kafka meetings --kafka broker:9092 --passwords DIR/kafka/passwords

    The administrator is the user of THROUGHLINE_KAFKA_USER and THROUGHLINE_KAFKA_PASSWORD (or its _FILE). The old
    password is refused at the next connection; connections that are open stay until their service restarts. Nothing
    recorded is lost meanwhile: what a service cannot publish waits in its store. It may be interrupted and run again.

    Exit code: 0 when the new passwords are in force and in their files; 1 when Kafka refuses or does not answer; 2 for
    bad input; 3 when no stack and no Kafka is named.
    """
    with exits():
        names = _declared(users, kafka_users.users())
        admin = configured_kafka(bootstrap) if bootstrap else _stack(home).kafka_admin()
        stored = _stored(passwords, home, "kafka_passwords", given=bootstrap is not None)
        try:
            rotate_passwords(stored, names, lambda each: kafka_users.ensure(admin, each))
        except kafka_users.NotGranted as failure:
            raise Failure(str(failure)) from None
        except NotAFile as fault:
            raise BadInput(f"--passwords: {fault}.") from None
        print_line(f"New passwords on Kafka: {', '.join(names)}. Restart the services of these names.")


def mongodb(
    services: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SERVICE]...",
            help=f"Of {', '.join(SERVICES)}; all where none is named. Or admin, the administrator of a deployment.",
        ),
    ] = None,
    uri: Annotated[
        str | None,
        uri_option(
            "THROUGHLINE_ROTATE_MONGODB",
            "MongoDB, as a user with the role userAdminAnyDatabase; the local stack's where none is named.",
        ),
    ] = None,
    password_file: Annotated[Path | None, password_option("THROUGHLINE_ROTATE_MONGODB", ADMIN_MONGODB)] = None,
    passwords: PasswordFolder = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Replace passwords of users in MongoDB by generated ones; then restart the services of these names.

    Example: throughline rotate mongodb meetings --mongodb "$ADMIN_URI" --passwords DIR/mongodb/passwords

    Rights stay as they are. The old password is refused at the next connection; connections that are open stay until
    their service restarts. It may be interrupted and run again.

    Exit code: 0 when the new passwords are in force and in their files; 1 when MongoDB refuses; 2 for bad input; 3 when
    MongoDB does not answer.
    """
    with exits(), mongodb_answers():
        names = [_user_named(name, administrator=uri is not None) for name in services or SERVICES]
        admin_uri = with_password_of(uri, password_file) if uri else _stack(home).servers()[1]
        stored = _stored(passwords, home, "passwords", given=uri is not None)
        try:
            rotate_passwords(stored, names, lambda each: set_in_mongodb(admin_uri, each))
        except NotAFile as fault:
            raise BadInput(f"--passwords: {fault}.") from None
        print_line(f"New passwords in MongoDB: {', '.join(names)}. Restart the services of these names.")


def _user_named(name: str, *, administrator: bool) -> str:
    return name if administrator and name == ADMINISTRATOR else service_named(name, "")


def _declared(users: Sequence[str] | None, declared: Sequence[str]) -> Sequence[str]:
    if unknown := next((user for user in users or () if user not in declared), None):
        raise BadInput(f"{unknown}: deploy/kafka.yaml declares no such user; it has {', '.join(declared)}.")
    return users or declared


def _stack(home: Path) -> StackHome:
    stack = StackHome(home)
    try:
        stack.servers()
    except LookupError:
        raise Unreachable("Nothing says where the servers are: name them, or start a stack.") from None
    return stack


def _stored(folder: Path | None, home: Path, member: str, *, given: bool) -> Passwords:
    if given != (folder is not None):
        raise BadInput("--passwords: name the folder of the passwords where, and only where, a server is named.")
    return Folder(folder) if folder is not None else Secrets(home, member)

"""`throughline mongodb`: the replica set, its administrator, and the users of the services."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from shared.events.services import SERVICES
from tools.cli.options import password_in
from tools.client.errors import BadInput, Failure, exits
from tools.client.mongodb_errors import mongodb_answers
from tools.deployment import mongodb
from tools.deployment.messages import CannotStart
from tools.files import NotAFile, alone_in
from tools.render.terminal import print_line


def ensure(
    passwords: Annotated[
        Path,
        typer.Option(
            envvar="THROUGHLINE_MONGODB_PASSWORDS",
            metavar="DIR",
            help="Folder with a file for the user admin and for each service, which holds its password.",
        ),
    ],
    member: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Address under which clients reach the server: its member's name.")
    ],
    server: Annotated[
        str, typer.Option(metavar="URI", help="The server on loopback, without a user; options of TLS if it has it.")
    ] = "mongodb://127.0.0.1:27017/",
    patience: Annotated[float, typer.Option(min=0, help="Seconds to wait for the server.")] = mongodb.PATIENCE_SECONDS,
) -> None:
    """Initiate a replica set of one member, make its administrator and the services' users; it can be run again.

    Example: throughline mongodb ensure --member mongo:27017 --passwords /run/secrets/mongodb

    It runs on the server's own machine, or in its container's network: MongoDB lets its first user be created over
    loopback alone. Each service gets the role of deploy/mongodb.yaml and its password anew, so that a password is
    changed by changing its file and running this again. It waits until the server is primary.

    Exit code: 0 when all is as declared; 1 when MongoDB refuses; 2 for bad input; 3 when it does not answer.
    """
    with exits(), mongodb_answers("--server"), _alone_in(passwords):
        administrator = password_in(passwords / mongodb.ADMINISTRATOR)
        users = {service: password_in(passwords / service) for service in SERVICES}
        try:
            mongodb.ensure(server, member, administrator, users, patience)
        except CannotStart as failure:
            raise Failure(str(failure)) from None
        print_line(f"The replica set of {member} and its users are as declared: {', '.join(users)}.")


@contextmanager
def _alone_in(passwords: Path) -> Iterator[None]:
    """Keep a rotation of these passwords waiting. Raises BadInput."""
    try:
        with alone_in(passwords):
            yield
    except NotAFile as fault:
        raise BadInput(f"--passwords: {fault}.") from None

"""`throughline mongodb`: the replica set, its administrator, and the users of the services."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pymongo.errors import ConfigurationError, PyMongoError

from shared.events.services import SERVICES
from tools.client.errors import BadInput, Failure, Unreachable, exits
from tools.deployment import mongodb
from tools.deployment.messages import CannotStart
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
    with exits():
        administrator = _password(passwords / mongodb.ADMINISTRATOR)
        users = {service: _password(passwords / service) for service in SERVICES}
        try:
            mongodb.ensure(server, member, administrator, users, patience)
        except CannotStart as failure:
            raise Failure(str(failure)) from None
        except ConfigurationError:
            raise BadInput("--server: is no MongoDB URI.") from None
        except PyMongoError as error:
            raise Unreachable(f"MongoDB does not answer ({type(error).__name__}).") from None
        print_line(f"The replica set of {member} and its users are as declared: {', '.join(users)}.")


def _password(file: Path) -> str:
    """Return the password in a file. Raises BadInput."""
    try:
        password = file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as fault:
        raise BadInput(f"--passwords: {fault}") from None
    if not password:
        raise BadInput(f"--passwords: {file} is empty.")
    return password

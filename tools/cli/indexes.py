"""`throughline indexes`: the collections and indexes of the services, which they have no right to create."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shared.events.services import SERVICES
from tools.cli.named_mongodb import ADMIN_MONGODB, password_option, uri_option, with_password_of
from tools.cli.options import service_named
from tools.client.connection import Home
from tools.client.errors import Failure, Unreachable, exits
from tools.client.indexes import describe
from tools.client.indexes import ensure as create
from tools.client.mongodb_errors import mongodb_answers
from tools.client.stack_home import DEFAULT_HOME, StackHome, database
from tools.render.terminal import print_line


def ensure(
    services: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SERVICE]...", help=f"Of {', '.join(SERVICES)}; all where none is named."),
    ] = None,
    mongodb: Annotated[
        str | None,
        uri_option(
            "THROUGHLINE_INDEXES_MONGODB",
            "MongoDB, as a user with the role dbAdminAnyDatabase; the local stack's where none is named.",
        ),
    ] = None,
    password_file: Annotated[Path | None, password_option("THROUGHLINE_INDEXES_MONGODB", ADMIN_MONGODB)] = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Create the collections and indexes of the services that are missing: run it before a new version starts.

    Example: throughline indexes ensure

    A service may neither create nor drop any, and does not start where one is missing, altered or not declared. It may
    be run any number of times. An index that differs is left as it is and named: an administrator drops it.

    Exit code: 0 when everything is as declared; 1 when something differs; 2 for bad input; 3 when MongoDB does not
    answer.
    """
    with exits(), mongodb_answers():
        names = [service_named(name, "") for name in services or SERVICES]
        uri = with_password_of(mongodb, password_file) if mongodb else _local(home)
        left = create(uri, {name: database(name) for name in names})
        if left:
            raise Failure(describe(left))
        print_line(f"Collections and indexes are as declared: {', '.join(names)}.")


def _local(home: Path) -> str:
    try:
        return StackHome(home).servers()[1]
    except LookupError:
        raise Unreachable("Nothing says where MongoDB is: name it (--mongodb URI), or start a stack.") from None

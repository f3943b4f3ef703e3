"""A MongoDB that a command names: its URI, and the password of the URI's user in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import typer

from shared.runtime.configuration import CannotStart, read
from shared.runtime.mongodb_settings import MongodbSettings
from tools.cli.options import password_in
from tools.client.errors import BadInput
from tools.deployment.mongodb import with_password

ADMIN_MONGODB = "THROUGHLINE_ADMIN_MONGODB"
"""The variable with the URI of MongoDB's administrator, which serves each command that has none of its own."""


def uri_option(variable: str, text: str, *further: str) -> Any:
    """Return the option for the URI of an administrator."""
    return typer.Option("--mongodb", envvar=[variable, *further, ADMIN_MONGODB], metavar="URI", help=text)


def password_option(*variables: str) -> Any:
    """Return the option for the file with the password: `…_PASSWORD_FILE` of a URI's variable."""
    return typer.Option(
        "--password-file",
        envvar=[f"{variable}_PASSWORD_FILE" for variable in variables],
        metavar="FILE",
        help="File with the password of the URI's user, where the URI has none.",
    )


def with_password_of(uri: str, file: Path | None) -> str:
    """Return a URI whose user has the password that a file holds, unless it has one already. Raises BadInput."""
    try:
        parts = urlsplit(uri)
        if file is None or not parts.username or parts.password is not None:
            return uri
        return with_password(uri, password_in(file, "--password-file"))
    except ValueError:
        raise BadInput("--mongodb: is no MongoDB URI.") from None


def of_this_service() -> str:
    """Return the URI of the service whose settings the environment holds. Raises BadInput."""
    try:
        settings = read(MongodbSettings)
    except CannotStart as fault:
        raise BadInput(str(fault)) from None
    uri, password = settings.mongodb.get_secret_value(), settings.mongodb_password
    return with_password(uri, password.get_secret_value()) if password else uri

"""`throughline deploy`: what a deployment needs before its first start."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tools.client.development import NotLoopback, check_loopback
from tools.client.errors import BadInput, Failure, exits
from tools.client.printable import printable
from tools.deployment.messages import CannotStart
from tools.deployment.secret_files import Deployment, EnsuredFile, ensure
from tools.deployment.secret_folder import SecretFolder
from tools.render.terminal import print_line

_NAME = re.compile("[A-Za-z0-9.-]{1,100}")
_HOST = re.compile("[A-Za-z0-9.:-]{1,253}")


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the secrets; it is made if absent.")],
    deployment: Annotated[
        str, typer.Option(envvar="THROUGHLINE_DEPLOYMENT", help="Name of the deployment: part of each log's name.")
    ] = "local",
    names: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="HOST", help="Further name or address of the servers, for their certificates."),
    ] = None,
    console: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The console's, on loopback, for the development sign-in.")
    ] = "http://127.0.0.1:8080",
    sign_in: Annotated[
        bool, typer.Option("--sign-in/--no-sign-in", help="Make the keys of the development sign-in too.")
    ] = True,
    address: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Address that people open once all is up, to be printed.")
    ] = None,
    owners: Annotated[
        bool, typer.Option("--owners/--no-owners", help="Give each file to the user of the image that reads it.")
    ] = True,
) -> None:
    """Make the passwords, keys and certificates of a deployment: what is there stays, what is missing is made.

    Example: throughline deploy init deploy/secrets

    Each file gets the owner and the mode that its reader needs, whatever the umask; only root can give files away, so
    that it runs in the image (docs/compose.md). No file is ever overwritten: to have one made anew, remove it first.
    Back up the folder apart from the data: who has both can read what was encrypted for persons.

    Exit code: 0 when all is there; 1 when a file cannot be made, or is spoilt; 2 for bad input.
    """
    with exits():
        _check(deployment, names or ())
        try:
            if sign_in:
                check_loopback(console)
            about = Deployment(deployment, tuple(names or ()), console if sign_in else None)
            ensured = ensure(SecretFolder(folder, owners=owners), about)
        except NotLoopback as fault:
            raise BadInput(f"--console: {fault}; give --no-sign-in where people sign in elsewhere.") from None
        except CannotStart as fault:
            raise Failure(f"{fault}.") from None
        _show(folder, ensured, address)


def _check(deployment: str, names: Sequence[str]) -> None:
    if _NAME.fullmatch(deployment) is None:
        raise BadInput(f"--deployment {printable(deployment)}: is no name; write letters, digits, dots and hyphens.")
    for name in names:
        if _HOST.fullmatch(name) is None:
            raise BadInput(f"--name {printable(name)}: is no host name or address.")


def _show(folder: Path, ensured: list[EnsuredFile], address: str | None) -> None:
    for file, outcome, remark in ensured:
        if outcome != "there" or remark:
            owned = f"user {file.owner}, mode {file.mode:04o}"
            print_line(f"{outcome:<10} {file.path} ({owned}{'; ' if remark else ''}{remark})")
    if address is not None:
        print_line(f"Once docker compose up --wait has ended, open {printable(address)}")
    counts = Counter(each.outcome for each in ensured)
    says = ", ".join(f"{counts[outcome]} {outcome}" for outcome in ("made", "put right", "there") if counts[outcome])
    print_line(f"{folder}: {says}.")

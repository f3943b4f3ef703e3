"""`throughline void`: an event that should not have been recorded, taken out of account."""

import re
from typing import Annotated, Any
from uuid import uuid4

import typer

from tools.cli.options import confirm, read_text
from tools.client.connection import Connection, Home, Token
from tools.client.errors import BadInput, CommandRefused, Failure, exits
from tools.client.services import Services
from tools.client.stack_home import DEFAULT_HOME
from tools.render.terminal import print_line

_PART = "[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_STREAM = re.compile(rf"([a-z_]{{1,40}})/({_PART}(?:/{_PART}){{0,3}})")


def void(
    stream: Annotated[str, typer.Argument(help="As in recommendation/CED/2022/R1 or instrument/75-4.")],
    version: Annotated[int, typer.Argument(min=1, help="The version of the event, as --provenance shows it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept for ever, so never about a person.")],
    source: Annotated[str | None, typer.Option(help="Where it was read.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")] = False,
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """Void an event that should not have been recorded, a correction, or a void; the history keeps it.

    Example: throughline void recommendation/CED/2022/R1 8 --reason "Entered for the wrong session"

    Where a correction is void, the one before it holds again; where a void is, the event that it voided does. Voiding
    version 1 voids the whole record, whose id is not free again. First it says which traces rest on the record.

    Exit code: 0 when it is voided; 1 when it was refused; 2 for bad input; 3 when a service does not answer.
    """
    with exits():
        service, path = _place(stream)
        given = {"reason": reason} | ({"source": source} if source else {})
        texts = {name: read_text(f"--{name}", text) for name, text in given.items()}
        with Services(Connection(home, token), "secretariat") as services:
            print_line(_named(services, service, stream, version))
            print_line(services.dependants(stream))
            confirm("Void it?", "voided", yes=yes)
            body = {"voids": version, **texts}
            print_line(f"Voided: {stream} is at version {_send(services, service, f'{path}/void', body)}.")


def _place(stream: str) -> tuple[str, str]:
    """Return the service of a stream, and its path there. Raises BadInput."""
    from shared.events.catalogue import EVENTS

    owners = {event.begins[0]: event.service for event in EVENTS.values() if event.begins}
    match = _STREAM.fullmatch(stream)
    if match is None or match[1] not in owners:
        kinds = ", ".join(sorted(owners))
        raise BadInput(f"{stream}: is not a stream; write KIND/ID as in instrument/75-4, KIND being one of {kinds}.")
    kind, key = match[1], match[2]
    plural = f"{kind.removesuffix('y')}ies" if kind.endswith("y") else f"{kind}s"
    return owners[kind], f"/{plural.replace('_', '-')}/{key}"


def _named(services: Services, service: str, stream: str, version: int) -> str:
    """Name the event of a version. Raises Failure where there is none."""
    for event in services.stream(service, stream):
        if event.streamversion == version:
            return f"Version {version} of {stream} is {type(event.data).__name__}, recorded at {event.time}."
    raise Failure(f"{stream} has no version {version}: check both.")


def _send(services: Services, service: str, path: str, body: dict[str, Any]) -> int:
    try:
        return services.send(service, path, body, str(uuid4()))
    except CommandRefused as refusal:
        raise Failure(str(refusal)) from None

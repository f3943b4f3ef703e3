"""`throughline dead-letters`: records that could not be consumed, and what a person decides about them."""

import re
from operator import itemgetter
from typing import Annotated, Any

import typer
from rich.table import Table

from shared.events.services import SERVICES
from tools.cli.options import chosen, read_text, service_named
from tools.client.connection import Connection, Format, Home, Token
from tools.client.errors import BadInput, exits
from tools.client.printable import printable
from tools.client.services import Services
from tools.client.stack_home import DEFAULT_HOME
from tools.render.console import Console
from tools.render.terminal import print_json, print_line

console = Console()

_PLACE = re.compile("[A-Za-z0-9._-]{1,249}/[0-9]{1,10}/[0-9]{1,19}")
STANDINGS = ("open", "resolved", "refused", "dismissed", "all")
ServiceName = Annotated[str, typer.Option("--service", help=f"One of {', '.join(SERVICES)}.")]
DeadLetter = Annotated[str, typer.Argument(help="topic/partition/offset, as listed.")]
Because = Annotated[str, typer.Option("--reason", help="The reason; it is kept with the dead letter.")]


def list_dead_letters(
    service: Annotated[str | None, typer.Option(help="One service; all four where none is named.")] = None,
    standing: Annotated[str, typer.Option(help="open, resolved, refused, dismissed, or all.")] = "open",
    shown_as: Format = "text",
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """List the dead letters.

    Example: throughline dead-letters list --service recommendations

    Exit code: 0 with the list, also an empty one; 1 when refused; 2 for bad input; 3 when a service does not answer.
    """
    with exits():
        names = SERVICES if service is None else [service_named(service)]
        chosen("--standing", standing, STANDINGS)
        with Services(Connection(home, token), "operator") as services:
            dead_letters = find(services, names, standing)
    if shown_as == "json":
        print_json(dead_letters)
    elif not dead_letters:
        console.print("No dead letters." if standing == "all" else f"No {standing} dead letters.")
    else:
        _show_all(dead_letters)


def show(
    dead_letter: DeadLetter,
    service: ServiceName,
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """Show one dead letter as JSON; its bytes only to an auditor or the secretariat, for they may be personal.

    Example: throughline dead-letters show throughline.meetings/0/17 --service meetings

    Exit code: 0; 1 when it is not there or refused; 2 for bad input; 3 when the service does not answer.
    """
    with exits(), Services(Connection(home, token), "operator") as services:
        document = services.get(service_named(service), f"/dead-letters/{_place(dead_letter)}")
    print_json(document)


def replay(
    dead_letter: DeadLetter,
    service: ServiceName,
    reason: Because,
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """Consume a dead letter again, byte for byte: once newer code can read it, or as the true candidate of two.

    Example: throughline dead-letters replay throughline.meetings/0/17 --service meetings --reason "reads since 1.4"

    Exit code: 0 when it was consumed; 1 when it still cannot be, or was refused; 2 for bad input; 3 when the service
    does not answer.
    """
    _decide("replay", dead_letter, service, reason, Connection(home, token))


def dismiss(
    dead_letter: DeadLetter,
    service: ServiceName,
    reason: Because,
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """Close a dead letter without consuming it; its bytes are kept.

    Example: throughline dead-letters dismiss throughline.meetings/0/17 --service meetings --reason "sent by mistake"

    Exit code: 0 when it is closed; 1 when it is not open, or was refused; 2 for bad input; 3 when the service does not
    answer.
    """
    _decide("dismiss", dead_letter, service, reason, Connection(home, token))


def find(services: Services, names: tuple[str, ...] | list[str], standing: str = "open") -> list[dict[str, Any]]:
    """Return all dead letters of services, oldest first, each with the name of its service."""
    return [
        {"service": name, **dead_letter}
        for name in names
        for dead_letter in sorted(services.pages(name, "/dead-letters", standing=standing), key=itemgetter("at"))
    ]


def _decide(action: str, dead_letter: str, service: str, reason: str, connection: Connection) -> None:
    with exits():
        path, body = f"/dead-letters/{_place(dead_letter)}/{action}", {"reason": read_text("--reason", reason)}
        with Services(connection, "operator") as services:
            answer = services.post(service_named(service), path, body)
    print_line(f"{dead_letter} is {answer['standing']}.")


def _place(dead_letter: str) -> str:
    if _PLACE.fullmatch(dead_letter) is None:
        raise BadInput(
            f"{printable(dead_letter)}: is not a dead letter; write topic/partition/offset, as "
            "throughline dead-letters list does."
        )
    return dead_letter


def _show_all(dead_letters: list[dict[str, Any]]) -> None:
    table = Table()
    for name in ("service", "dead letter", "standing", "reason", "stream", "since"):
        table.add_column(name, no_wrap=name == "dead letter", overflow="fold")
    for dead_letter in dead_letters:
        table.add_row(
            dead_letter["service"],
            dead_letter["_id"],
            dead_letter["standing"],
            dead_letter["reason"],
            str(dead_letter.get("stream", "")),
            str(dead_letter["at"]),
        )
    console.print(table)

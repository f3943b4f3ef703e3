"""`throughline republish`: a topic that Kafka lost, had again from the ledger."""

from typing import Annotated

import typer

from shared.events.services import SERVICES
from tools.cli.options import service_named
from tools.client.connection import Connection, Home, Token
from tools.client.errors import Failure, exits
from tools.client.progress import bar
from tools.client.services import Services
from tools.client.stack_home import DEFAULT_HOME
from tools.render.terminal import print_line


def republish(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help=f"One of {', '.join(SERVICES)}.")],
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """Publish a service's whole ledger again, after Kafka lost its topic or a part of it.

    Example: throughline republish recommendations

    The service's own relay publishes every event with the same bytes, position and leaf hash, before anything new.
    Readers ignore what they have, so it may be run at any time and more than once: nothing takes effect twice, and no
    mail is sent again. An absent topic must be created first, as deploy/topics.yaml declares. The service keeps the
    request: Ctrl-C ends the display of progress only, and a restarted service continues where it was.

    Exit code: 0 when the whole ledger is published again; 1 when it was refused or the display broke off; 2 for bad
    input; 3 when the service does not answer.
    """
    with exits():
        service_named(service, "")
        with Services(Connection(home, token), "operator") as services:
            republished(services, service)
        print_line(f"Republished {service}: the topic holds the whole ledger.")


def republished(services: Services, service: str) -> None:
    """Republish a service's ledger and wait for its end. Raises Failure where the display broke off."""
    with bar(f"Republishing {service}") as advance:
        progress = services.operate(service, "/operations/republish", advance)
    if not progress.get("finished"):
        raise Failure("The display broke off; the service continues: run the command again to watch it.")

"""`throughline rebuild`: fold and compose everything again, in place."""

from typing import Annotated

import typer

from shared.events.services import SERVICES
from tools.cli.options import service_named
from tools.client.connection import Connection, Home, Token
from tools.client.errors import Failure, exits
from tools.client.progress import bar
from tools.client.services import Services
from tools.client.stack_home import DEFAULT_HOME
from tools.render.console import Console

console = Console()


def rebuild(
    service: Annotated[str, typer.Option(help=f"One of {', '.join(SERVICES)}.")] = "recommendations",
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """Fold and compose everything again from the journal, in place and under live writes.

    Example: throughline rebuild

    Exit code: 0 when it has finished; 1 when it was refused or broke off; 2 for bad input; 3 when the service does
    not answer.
    """
    with exits():
        service_named(service)
        with Services(Connection(home, token), "operator") as services:
            events = rebuilt(services, service)
        console.print(f"Rebuilt {service} from {events} events.")


def rebuilt(services: Services, service: str) -> int:
    """Rebuild a service's read models and return the number of events. Raises Failure where it broke off."""
    with bar(f"Rebuilding {service}") as advance:
        progress = services.operate(service, "/operations/rebuild", advance)
    if not progress.get("finished"):
        raise Failure("The rebuild broke off: run it again; what was rebuilt stays right.")
    return progress["of"]

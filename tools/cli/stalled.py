"""`throughline stalled`: streams that a service cannot take further, and why."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from shared.events.services import SERVICES
from shared.projection.natural_order import natural_order
from tools.cli.options import service_named
from tools.client.connection import Connection, Format, Home, Token
from tools.client.errors import exits
from tools.client.services import Services
from tools.client.stack_home import DEFAULT_HOME
from tools.render.console import Console
from tools.render.terminal import print_json, print_line


def stalled(
    service: Annotated[str | None, typer.Option(help="One service; all four where none is named.")] = None,
    shown_as: Format = "text",
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """List the stalled streams, each with the reason: what is missing, or why an event cannot be taken.

    Example: throughline stalled --service recommendations

    A stream is tried again at each further event of its own, when its service starts, and by throughline rebuild.

    Exit code: 0 with the list, also an empty one; 1 when refused; 2 for bad input; 3 when a service does not answer.
    """
    with exits():
        names = SERVICES if service is None else [service_named(service)]
        with Services(Connection(home, token), "operator") as services:
            reasons = {name: services.get(name, "/stalled/reasons") for name in names}
    if shown_as == "json":
        print_json(reasons)
    elif not any(reasons.values()):
        print_line("No stalled streams.")
    else:
        _show(reasons)


def _show(reasons: dict[str, dict[str, str]]) -> None:
    table = Table("service", "stream", "reason")
    for service, streams in reasons.items():
        for stream, reason in sorted(streams.items(), key=lambda each: natural_order(each[0])):
            table.add_row(service, Text(stream, overflow="fold"), Text(reason, overflow="fold"))
    Console().print(table)

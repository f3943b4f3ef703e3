"""`throughline trace`: the trace of one recommendation."""

from typing import Annotated

import typer

from tools.cli.options import read_day, read_reference, read_time
from tools.client.connection import Connection, Format, Home, Token
from tools.client.errors import Failure, exits
from tools.client.services import Services
from tools.client.stack_home import DEFAULT_HOME
from tools.render.terminal import console, print_json, print_page


def trace(
    reference: Annotated[str, typer.Argument(help="As in CED/2022/R1.")],
    as_of: Annotated[str | None, typer.Option(metavar="DATE", help="Facts up to this day in the world.")] = None,
    known_at: Annotated[str | None, typer.Option(metavar="TIME", help="Facts recorded by this time.")] = None,
    provenance: Annotated[
        bool, typer.Option("--provenance", help="Name the events behind each statement, and their places in the logs.")
    ] = False,
    shown_as: Format = "text",
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """Show the trace of a recommendation: mandates, work, what the Committee did, what followed, what is missing.

    Example: throughline trace CED/2022/R1 --as-of 2022-12-31

    Exit code: 0 with the trace; 1 when it is not on record, or was refused; 2 for bad input; 3 when the service does
    not answer.
    """
    with exits():
        read_reference(reference)
        read_day("--as-of", as_of)
        read_time("--known-at", known_at)
        with Services(Connection(home, token), "auditor") as services:
            path = f"/traces/{reference}/provenance" if provenance else f"/traces/{reference}"
            answer = services.find("recommendations", path, as_of=as_of, known_at=known_at)
        if answer is None:
            when = " for that time" if as_of or known_at else ""
            raise Failure(f"{reference} is not on record{when}: throughline traces lists what is.")
    if shown_as == "json":
        print_json(answer)
        return
    from tools.render.trace_text import plain_text, trace_text

    if (terminal := console()).is_terminal:
        terminal.print(trace_text(answer["trace"], answer["today"], answer.get("events")))
    else:
        print_page(plain_text(answer["trace"], answer["today"], answer.get("events")))

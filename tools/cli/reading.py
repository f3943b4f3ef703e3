"""`throughline trace`, `traces` and `coverage`: what an officer reads."""

import re
import sys
from datetime import date, datetime
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from tools.client.connection import Connection, Format, Home, Token
from tools.client.errors import BadInput, Failure, exits
from tools.client.services import Services
from tools.local.stack import DEFAULT_HOME
from tools.render.page import WIDTH
from tools.render.trace_text import plain_text, trace_text

REFERENCE = re.compile(r"^[A-Z]{2,10}/[12][0-9]{3}/R[1-9][0-9]{0,4}$")
Filter = Annotated[str | None, typer.Option(show_default=False)]


def console() -> Console:
    """Return a console as wide as its terminal, at most as wide as a page; a page where there is no terminal."""
    wide = Console()
    return Console(width=min(wide.width, WIDTH)) if wide.is_terminal else Console(width=WIDTH)


def trace(
    reference: Annotated[str, typer.Argument(help="As in CED/2022/R1.")],
    as_of: Annotated[str | None, typer.Option(metavar="DATE", help="Facts up to this day in the world.")] = None,
    known_at: Annotated[str | None, typer.Option(metavar="TIME", help="What was recorded by this time.")] = None,
    provenance: Annotated[bool, typer.Option("--provenance", help="Name the events behind each statement.")] = False,
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
        _check(reference, as_of, known_at)
        with Services(Connection(home, token), "auditor") as services:
            answer = services.find("recommendations", f"/traces/{reference}", as_of=as_of, known_at=known_at)
        if answer is None:
            when = " for that time" if as_of or known_at else ""
            raise Failure(f"{reference} is not on record{when}: throughline traces lists what is.")
    if shown_as == "json":
        _print_json(answer)
    elif (paper := console()).is_terminal:
        paper.print(trace_text(answer["trace"], answer["today"], provenance=provenance))
    else:
        typer.echo(plain_text(answer["trace"], answer["today"], provenance=provenance), nl=False)


def traces(
    theme: Filter = None,
    standing: Annotated[str | None, typer.Option(help="Of a mandate: live, suspect or uncited.")] = None,
    coverage: Annotated[str | None, typer.Option(help="uncovered, shallow or deep.")] = None,
    disposition: Annotated[str | None, typer.Option(help="An outcome: endorsed, noted, deferred, ...")] = None,
    provision: Annotated[str | None, typer.Option(help="A provision's id.")] = None,
    text: Annotated[str | None, typer.Option(help="Words in title, text, summaries and citations.")] = None,
    shown_as: Format = "text",
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """List the traces, filtered.

    Example: throughline traces --coverage shallow --theme "Clean air for all"

    Exit code: 0 with the list, also an empty one; 1 when refused; 2 for bad input; 3 when the service does not answer.
    """
    with exits(), Services(Connection(home, token), "auditor") as services:
        found = list(
            services.pages(
                "recommendations",
                "/traces",
                theme=theme,
                standing=standing,
                coverage=coverage,
                disposition=disposition,
                provision=provision,
                text=text,
            )
        )
    if shown_as == "json":
        _print_json(found)
    else:
        _show_traces(found)


def coverage(shown_as: Format = "text", home: Home = DEFAULT_HOME, token: Token = None) -> None:
    """Show coverage both ways: what rests on each provision, and how far the thread of each recommendation reaches.

    Example: throughline coverage --format json

    Exit code: 0; 1 when refused; 3 when the service does not answer.
    """
    with exits(), Services(Connection(home, token), "auditor") as services:
        found = services.get("recommendations", "/coverage")
    if shown_as == "json":
        _print_json(found)
    else:
        _show_coverage(found)


def _check(reference: str, as_of: str | None, known_at: str | None) -> None:
    if not REFERENCE.match(reference):
        raise BadInput(f"{reference}: is not a reference; write it as in CED/2022/R1.")
    try:
        if as_of:
            date.fromisoformat(as_of)
    except ValueError:
        raise BadInput(f"--as-of {as_of}: is not a day; write YYYY-MM-DD.") from None
    try:
        if known_at:
            datetime.fromisoformat(known_at)
    except ValueError:
        raise BadInput(f"--known-at {known_at}: is not a time; write it as in 2026-01-31T12:00:00Z.") from None


def _print_json(content: Any) -> None:
    sys.stdout.write(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n")


def _show_traces(found: list[dict[str, Any]]) -> None:
    if not found:
        console().print("No traces.")
        return
    table = Table("reference", "title", "standing", "coverage", "disposition", "mandates", "gaps")
    for each in found:
        recommendation, mandates = each["recommendation"], each["mandates"]
        live = sum(mandate["standing"] == "live" for mandate in mandates)
        table.add_row(
            recommendation["reference"],
            recommendation["title"],
            recommendation["standing"],
            each["coverage"],
            ", ".join(item["outcome"].replace("_", " ") for item in each["dispositions"]) or "none",
            f"{live} of {len(mandates)} live",
            str(len(each["gaps"])),
        )
    console().print(table)


def _show_coverage(found: dict[str, Any]) -> None:
    table = Table(title="From the mandates")
    for name in ("instrument", "provision", "recommendations", "initiatives"):
        table.add_column(name, overflow="fold")
    for item in found["provisions"]:
        superseded = " (superseded)" if item["instrument_standing"] == "superseded" else ""
        rest = [
            entry["reference"] + ("" if entry["standing"] == "live" else f" ({entry['standing']})")
            for entry in item["recommendations"]
        ]
        table.add_row(
            item["cite"] + superseded, item["provision"], "\n".join(rest) or "none", "\n".join(item["initiatives"])
        )
    console().print(table)
    reach = Table("coverage", "recommendations", title="From the recommendations")
    for name, references in found["recommendations"].items():
        reach.add_row(name, ", ".join(references) or "none")
    console().print(reach)

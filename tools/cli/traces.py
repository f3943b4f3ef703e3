"""`throughline traces`: a filtered list of the traces."""

from typing import Annotated, Any

import typer
from rich.table import Table

from shared.domain.spelling import by_number
from tools.cli.options import chosen, read_text
from tools.client.connection import Connection, Format, Home, Token
from tools.client.errors import exits
from tools.client.services import Services
from tools.client.stack_home import DEFAULT_HOME
from tools.render.terminal import console, print_json

Filter = Annotated[str | None, typer.Option(show_default=False)]


def traces(
    theme: Filter = None,
    standing: Annotated[str | None, typer.Option(help="Standing of a cited mandate: live, suspect or uncited.")] = None,
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
    with exits():
        filters = _read(
            theme=theme, standing=standing, coverage=coverage, disposition=disposition, provision=provision, text=text
        )
        with Services(Connection(home, token), "auditor") as services:
            items = list(services.pages("recommendations", "/traces", **filters))
    items.sort(key=lambda trace: by_number(trace["recommendation"]["reference"]))
    if shown_as == "json":
        print_json(items)
    else:
        _show(items)


def _read(**filters: str | None) -> dict[str, str]:
    """Return the filters that are given. Raises BadInput for a word that no trace has."""
    given = {name: read_text(f"--{name}", text) for name, text in filters.items() if text is not None}
    if not given:
        return given
    from shared.events.words import DispositionOutcome, words

    known = {
        "standing": ("live", "suspect", "uncited"),
        "coverage": ("uncovered", "shallow", "deep"),
        "disposition": words(DispositionOutcome),
    }
    for name in known.keys() & given.keys():
        chosen(f"--{name}", given[name], known[name])
    return given


def _show(traces: list[dict[str, Any]]) -> None:
    if not traces:
        console().print("No traces.")
        return
    table = Table("reference", "title", "standing", "coverage", "disposition", "mandates", "gaps")
    for trace in traces:
        recommendation, mandates = trace["recommendation"], trace["mandates"]
        live = sum(mandate["standing"] == "live" for mandate in mandates)
        table.add_row(
            recommendation["reference"],
            recommendation["title"],
            recommendation["standing"],
            trace["coverage"],
            ", ".join(item["outcome"].replace("_", " ") for item in trace["dispositions"]) or "none",
            f"{live} of {len(mandates)} live",
            str(len(trace["gaps"])),
        )
    console().print(table)

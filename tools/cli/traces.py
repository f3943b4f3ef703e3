"""`throughline traces`: a filtered list of the traces."""

from typing import Annotated, Any

import typer
from rich.table import Table

from tools.cli.options import chosen, read_text
from tools.client.connection import Connection, Format, Home, Token
from tools.client.errors import BadInput, exits
from tools.client.services import Services
from tools.client.stack_home import DEFAULT_HOME
from tools.render.terminal import console, print_json

Filter = Annotated[str | None, typer.Option(show_default=False)]
STAGES = ("drafted", "adopted", "transmitted", "disposed", "withdrawn", "superseded", "merged", "split", "void")
"""The stages of `services.recommendations.queries.traces.Stage`, without the time that its import takes."""


def traces(
    theme: Filter = None,
    stage: Annotated[
        str | None, typer.Option(help="Stage of the recommendation: drafted, adopted, transmitted, disposed, ...")
    ] = None,
    standing: Annotated[
        str | None, typer.Option(help="Standing of a cited mandate: live, suspect, uncited or void.")
    ] = None,
    coverage: Annotated[str | None, typer.Option(help="uncovered, shallow or deep.")] = None,
    disposition: Annotated[str | None, typer.Option(help="An outcome: endorsed, noted, deferred, ...")] = None,
    provision: Annotated[str | None, typer.Option(help="A provision's id.")] = None,
    text: Annotated[
        str | None, typer.Option(help="Any of these words, in title, text, summaries or citations; or a reference.")
    ] = None,
    shown_as: Format = "text",
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """List the traces, filtered.

    As JSON each trace is whole.

    Example: throughline traces --coverage shallow --theme "Clean air for all"

    Exit code: 0 with the list, also an empty one; 1 when refused; 2 for bad input; 3 when the service does not answer.
    """
    with exits():
        filters = _read(
            theme=theme, stage=stage, standing=standing, coverage=coverage, disposition=disposition,
            provision=provision, text=text,
        )  # fmt: skip
        view = "trace" if shown_as == "json" else "row"
        with Services(Connection(home, token), "auditor") as services:
            items = list(services.pages("recommendations", "/traces", view=view, **filters))
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
        "stage": STAGES,
        "standing": ("live", "suspect", "uncited", "void"),
        "coverage": ("uncovered", "shallow", "deep"),
        "disposition": words(DispositionOutcome),
    }
    for name in [name for name in known if name in given]:
        word = given[name]
        if word not in known[name] and (other := next((each for each in known if word in known[each]), None)):
            raise BadInput(f"--{name} {word}: is not one of its words; --{other} takes it.")
        chosen(f"--{name}", word, known[name])
    return given


def _show(rows: list[dict[str, Any]]) -> None:
    if not rows:
        console().print("No traces.")
        return
    table = Table("reference", "title", "stage", "coverage", "disposition", "mandates", "gaps")
    for row in rows:
        table.add_row(
            row["reference"],
            row["title"],
            row["stage"],
            row["coverage"],
            ", ".join(outcome.replace("_", " ") for outcome in row["dispositions"]) or "none",
            f"{row['mandates']['live']} of {row['mandates']['all']} live",
            str(row["gaps"]),
        )
    console().print(table)

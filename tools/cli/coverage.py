"""`throughline coverage`: recommendations by provision, and provisions by recommendation."""

from typing import Any

from rich.table import Table

from tools.client.connection import Connection, Format, Home, Token
from tools.client.errors import exits
from tools.client.services import Services
from tools.client.stack_home import DEFAULT_HOME
from tools.render.terminal import console, print_json


def coverage(shown_as: Format = "text", home: Home = DEFAULT_HOME, token: Token = None) -> None:
    """Show coverage both ways: what rests on each provision, and how far the thread of each recommendation reaches.

    Example: throughline coverage --format json

    Exit code: 0; 1 when refused; 3 when the service does not answer.
    """
    with exits(), Services(Connection(home, token), "auditor") as services:
        reach: dict[str, list[str]] = {"uncovered": [], "shallow": [], "deep": []}
        for item in services.pages("recommendations", "/coverage", by="recommendation"):
            reach[item["coverage"]].append(item["reference"])
        matrix = {"provisions": list(services.pages("recommendations", "/coverage")), "recommendations": reach}
    if shown_as == "json":
        print_json(matrix)
    else:
        _show(matrix)


def _show(matrix: dict[str, Any]) -> None:
    table = Table(title="From the mandates")
    for name in ("instrument", "provision", "recommendations", "initiatives"):
        table.add_column(name, overflow="fold")
    for item in matrix["provisions"]:
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
    for name, references in matrix["recommendations"].items():
        reach.add_row(name, ", ".join(references) or "none")
    console().print(reach)

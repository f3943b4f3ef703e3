"""The tables of docs/commands.md: every word of the command line that is made from the services' own table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tools.contracts.naming import WRITTEN

BEGIN, END = "<!-- words: written by make schemas -->", "<!-- words end -->"
Row = Mapping[str, Any]


def page_of(prose: str, table: Mapping[str, Any]) -> bytes:
    """Return the page with its tables as they should be. Raises ValueError where it has no place for them."""
    before, _, rest = prose.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"docs/commands.md: write {BEGIN} and {END} around its tables")
    return "\n".join([before + BEGIN, "", *_tables(table), "", END + after]).encode()


def _tables(table: Mapping[str, Any]) -> Iterator[str]:
    commands: Sequence[Row] = table["commands"]
    queries = [row for row in table["queries"] if row["path"] not in WRITTEN]
    for noun in dict.fromkeys(row["noun"] for row in commands):
        own = [row for row in commands if row["noun"] == noun]
        yield from ("", f"### {noun}", "", "| word | | must be given | who may |", "|---|---|---|---|")
        yield from (_command(row, table["$defs"]) for row in own)
    yield from ("", "### One record", "", "| command | | who may |", "|---|---|---|")
    yield from _distinct(queries, one=True)
    yield from ("", "### Lists", "", "| command | | filters | who may |", "|---|---|---|---|")
    yield from _distinct(queries, one=False)


def _command(row: Row, shared: Mapping[str, Row]) -> str:
    required = [*(["ID"] if "{" in row["path"] else []), *_required(row.get("body", {}), shared)]
    cells = (f"`{row['word']}`", row["summary"], ", ".join(f"`{each}`" for each in required), _roles(row))
    return _line(*cells)


def _required(body: Row, shared: Mapping[str, Row], prefix: str = "") -> Iterator[str]:
    schema = _resolved(body, shared)
    for name in schema.get("required", ()):
        inner = schema["properties"][name]
        flag = f"{prefix}{name.replace('_', '-')}"
        if inner.get("personal"):
            yield name
        elif _resolved(inner, shared).get("properties"):
            yield from _required(inner, shared, f"{flag}.")
        else:
            yield f"--{flag}"


def _resolved(schema: Row, shared: Mapping[str, Row]) -> Row:
    return shared[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _distinct(queries: Sequence[Row], *, one: bool) -> Iterator[str]:
    for typed in dict.fromkeys(row["typed"] for row in queries if row["one"] == one):
        rows = [each for each in queries if each["typed"] == typed]
        row = rows[0]
        filters = [f"`--{each['name'].replace('_', '-')}`" for each in row["parameters"] if each["in"] == "query"]
        shown = [] if one else [", ".join(name for name in filters if name != "`--after`")]
        yield _line(f"`{typed}{' ID' if one else ''}`", row["summary"], *shown, _readers(rows))


def _readers(rows: Sequence[Row]) -> str:
    """Return the roles that may read it, by service where they differ."""
    if all(row["roles"] == rows[0]["roles"] for row in rows):
        return _roles(rows[0])
    return "; ".join(f"of {row['service']}: {_roles(row)}" for row in rows)


def _roles(row: Row) -> str:
    return ", ".join(role.replace("_", " ") for role in row["roles"])


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"

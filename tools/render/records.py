"""Records in plain text: a list as a table, one record line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tools.render.terminal import console, print_line

NAMES = ("title", "cite", "body")
"""The members that name a record for people, the best first."""
SHOWN = 3
_COLUMNS = 6
Scalar = (str, int, float, bool)


def print_list(items: Sequence[Any], plural: str, facets: Sequence[str]) -> None:
    """Print a list, records with the facets that it is filtered by."""
    if not items:
        print_line(f"No {plural.replace('-', ' ')}.")
        return
    from rich.table import Table
    from rich.text import Text

    rows = [_row(item, facets) for item in items]
    columns = [name for name in dict.fromkeys(name for row in rows for name in row) if any(name in row for row in rows)]
    table = Table(*(column.replace("_", " ") for column in columns))
    for row in rows:
        table.add_row(*(Text(row.get(column, ""), overflow="fold") for column in columns))
    console().print(table)


def print_one(answer: Any) -> None:
    """Print one record, with its version and what does not fit other records."""
    match answer:
        case {"stream": str(stream), "version": int(version), "state": dict(state)}:
            print_line(f"{stream} at version {version}")
            for line in _lines(state, "  "):
                print_line(line)
            if answer.get("waits"):
                print_line("  It waits for an event that has not come yet.")
            for gap in answer.get("gaps", ()):
                print_line(f"  Gap: {gap}")
        case _:
            for line in _lines(answer, ""):
                print_line(line)


def _row(item: Any, facets: Sequence[str]) -> dict[str, str]:
    match item:
        case {"stream": str(stream), "version": int(version), "state": dict(state)}:
            named = next((name for name in NAMES if name not in facets and list(_values(state, name))), None)
            shown = [*facets, *([named] if named else [])]
            row = {name: text for name in shown if (text := _few(list(_values(state, name))))}
            gaps = {"gaps": str(len(item["gaps"]))} if item.get("gaps") else {}
            return {"id": stream.partition("/")[2], "version": str(version), **(row or _plain(state)), **gaps}
        case {"event": {"subject": _, "type": _, "streamversion": _} as event, **entry}:
            return _event(event) | ({"position": str(entry["position"])} if "position" in entry else {})
        case {"subject": _, "type": _, "streamversion": _}:
            return _event(item)
        case dict():
            return _scalars(item)
        case _:
            return {"": str(item)}


def _event(event: dict[str, Any]) -> dict[str, str]:
    name = event["type"].split(".")[-2]
    return {
        "time": event["time"],
        "event": name,
        "stream": event["subject"],
        "version": str(event["streamversion"]),
        "by": str(event.get("role", "")),
    }


def _plain(state: Any) -> dict[str, str]:
    """Return the plain members of a state, the first and least deep that there are beside its stage."""
    level: list[Any] = [state]
    while level:
        for each in level:
            if isinstance(each, dict) and (plain := _scalars({**each, "stage": None, "version": None})):
                return plain
        level = [inner for each in level for inner in _inner(each)]
    return {}


def _scalars(value: dict[str, Any]) -> dict[str, str]:
    scalars = {name: str(member) for name, member in value.items() if isinstance(member, Scalar)}
    return dict(list(scalars.items())[:_COLUMNS])


def _few(values: Sequence[str]) -> str:
    """Join the first of some values, and say how many more there are."""
    distinct = list(dict.fromkeys(values))
    more = f" and {len(distinct) - SHOWN} more" if len(distinct) > SHOWN else ""
    return ", ".join(distinct[:SHOWN]) + more


def _values(state: Any, name: str) -> Iterator[str]:
    """Yield the values of a member, or of its plural, at the least depth where there is one."""
    level: list[Any] = [state]
    while level:
        at_depth = [value for each in level if isinstance(each, dict) for key, value in each.items() if _is(key, name)]
        scalars = [str(value) for each in at_depth for value in _flat(each) if isinstance(value, Scalar)]
        if scalars:
            yield from scalars
            return
        level = [inner for each in level for inner in _inner(each)]


def _is(key: str, name: str) -> bool:
    return key in (name, f"{name}s")


def _flat(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _inner(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _lines(value: Any, indent: str) -> Iterator[str]:
    """Yield a value's lines: a member with one value on a line, others indented below their name."""
    match value:
        case dict():
            for name, member in _unwrapped(value).items():
                yield from _named(f"{str(name).replace('_', ' ')}:", member, indent)
        case list():
            for item in value:
                first, *others = [*_lines(item, "")] or [""]
                yield f"{indent}- {first}"
                yield from (f"{indent}  {line}" for line in others)
        case _:
            yield f"{indent}{_text(value)}"


def _unwrapped(value: dict[str, Any]) -> dict[str, Any]:
    """Return a recorded fact with its data in its place."""
    name = next((name for name in ("data", "fact") if isinstance(value.get(name), dict)), None)
    return value if name is None else {**value[name], **{key: value[key] for key in value if key != name}}


def _named(label: str, member: Any, indent: str) -> Iterator[str]:
    match member:
        case dict() | list() if not member:
            return
        case list() if all(isinstance(item, Scalar) for item in member):
            yield f"{indent}{label} {', '.join(map(_text, member))}"
        case dict() | list():
            yield f"{indent}{label}"
            yield from _lines(member, indent + "  ")
        case _:
            yield f"{indent}{label} {_text(member)}"


def _text(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)

"""How a trace is set on a page: sections of numbered entries, and marks on everything that is not verified."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from shared.domain.dates import in_words

WIDTH = 100
_DOUBT = {"inferred": "inferred", "recalled": "recalled", "unknown": "certainty unknown"}
_DATED = {"possibly": "possibly by then", "date unknown": "date unknown"}


@dataclass(frozen=True)
class Entry:
    """One statement of a trace: what it says, and the lines below it."""

    head: Text
    lines: Sequence[Text] = ()


def marked(text: str | Text, status: str | None, dated: str | None = None) -> Text:
    """Return a text with its mark: nothing where it is verified, else in brackets how certain it is.

    `dated` says how a fact stands to the day that was asked for.
    """
    made = Text(text) if isinstance(text, str) else text.copy()
    if status != "verified":
        made.append(f" ({_DOUBT.get(status or 'unknown', status)})", style="yellow")
    if dated is not None:
        made.append(f" ({_DATED.get(dated, dated)})", style="magenta")
    return made


def joined(parts: Iterable[str | Text | None], between: str = ", ") -> Text:
    """Return what there is of the parts, with something between."""
    return Text(between).join(Text(part) if isinstance(part, str) else part for part in parts if part)


def sentence(text: Text) -> Text:
    """Return a text that ends with a full stop."""
    return text if text.plain.endswith((".", "!", "?")) else Text.assemble(text, ".")


def said(item: dict[str, Any]) -> list[Text]:
    """Return the lines that every entry may end with: its note and its source."""
    note = [sentence(Text(item["note"]))] if "note" in item else []
    source = [Text.assemble("Source: ", item["source"], style="dim")] if "source" in item else []
    return [*note, *source]


def span(starts: str | None, ends: str | None) -> str:
    """Return the days of a meeting or session, as far as known."""
    if starts is None:
        return "on an unknown date"
    first, last = in_words(starts), in_words(ends or starts)
    if first == last or " " not in first:
        return first if first == last else f"{first} to {last}"
    shared = next((len(end) for end in (first[first.find(" ") :], first[-5:]) if last.endswith(end)), 0)
    return f"{first[: len(first) - shared]} to {last}"


def words(name: str) -> str:
    """Return a word of the record as people write it: `under_implementation` is `under implementation`."""
    return name.replace("_", " ")


def section(title: str, entries: Sequence[Entry], nothing: str) -> RenderableType:
    """Return a section: its title, and its entries numbered, or a sentence where there is none."""
    heading = Text(f"\n{title}", style="bold")
    if not entries:
        return Group(heading, Padding(Text(nothing, style="dim"), (0, 0, 0, 2)))
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", width=4)
    grid.add_column(overflow="fold")
    for number, entry in enumerate(entries, start=1):
        grid.add_row(f"{number}.", Group(entry.head, *entry.lines))
    return Group(heading, grid)


def listed(title: str, lines: Sequence[str], nothing: str) -> RenderableType:
    """Return a section of plain sentences."""
    heading = Text(f"\n{title}", style="bold")
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", width=4)
    grid.add_column(overflow="fold")
    for line in lines or [nothing]:
        grid.add_row("-", Text(line))
    return Group(heading, grid)


def pairs(rows: Iterable[tuple[str, str | Text | None]]) -> RenderableType:
    """Return names and values under each other; what has no value is left out."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for name, value in rows:
        if value:
            grid.add_row(f"  {name}", value)
    return grid

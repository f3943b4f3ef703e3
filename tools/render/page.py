"""The page layout of a trace: sections of numbered entries, and a mark on every statement that is not verified."""

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
    """One statement of a trace: its head, and the lines below it."""

    head: Text
    lines: Sequence[Text] = ()


def marked(text: str | Text, status: str | None, dated: str | None = None) -> Text:
    """Append a statement's certainty in brackets, unless it is verified.

    `dated` relates its date to the `as_of` day of the query.
    """
    marked_text = Text(text) if isinstance(text, str) else text.copy()
    if status != "verified":
        marked_text.append(f" ({_DOUBT.get(status or 'unknown', status)})", style="yellow")
    if dated is not None:
        marked_text.append(f" ({_DATED.get(dated, dated)})", style="magenta")
    return marked_text


def joined(parts: Iterable[str | Text | None], separator: str = ", ") -> Text:
    """Join the parts that there are with a separator."""
    return Text(separator).join(Text(part) if isinstance(part, str) else part for part in parts if part)


def sentence(text: Text) -> Text:
    """End a text with a full stop."""
    return text if text.plain.endswith((".", "!", "?")) else Text.assemble(text, ".")


def note_and_source(item: dict[str, Any]) -> list[Text]:
    """Return the last lines of an entry: its note and its source."""
    note = [sentence(Text(item["note"]))] if "note" in item else []
    source = [Text.assemble("Source: ", item["source"], style="dim")] if "source" in item else []
    return [*note, *source]


def span(starts: str | None, ends: str | None) -> str:
    """Format the days of a meeting or session, as far as known."""
    if starts is None:
        return "on an unknown date"
    first, last = in_words(starts), in_words(ends or starts)
    if first == last or " " not in first:
        return first if first == last else f"{first} to {last}"
    shared = next((len(end) for end in (first[first.find(" ") :], first[-5:]) if last.endswith(end)), 0)
    return f"{first[: len(first) - shared]} to {last}"


def words(name: str) -> str:
    """Format a word of the record: `under_implementation` becomes `under implementation`."""
    return name.replace("_", " ")


def section(title: str, entries: Sequence[Entry], nothing: str) -> RenderableType:
    """Return a section: its title, and numbered entries, or a sentence where there are none."""
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
    """Return a grid of names and values, without the names that have no value."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for name, value in rows:
        if value:
            grid.add_row(f"  {name}", value)
    return grid

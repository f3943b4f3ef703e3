"""The table: each figure, its ceiling, and the ratio between them."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

COLUMNS = ("work", "figure", "ceiling", "ratio", "wanted", "peak MB")


@dataclass(frozen=True)
class Row:
    """One row. Figures are events a second, one per turn; `ceiling` names the ceiling."""

    work: str
    figures: tuple[float, ...] = ()
    ceiling: str = ""
    ceilings: tuple[float, ...] = ()
    wanted: float | None = None
    peak_mb: float | None = None
    says: str = ""
    notes: tuple[str, ...] = field(default_factory=tuple)

    @property
    def ratio(self) -> float | None:
        """The median figure in parts of the median ceiling."""
        if not self.figures or not self.ceilings:
            return None
        return statistics.median(self.figures) / statistics.median(self.ceilings)

    def cells(self) -> tuple[str, ...]:
        """Return the row as text."""
        ratio = self.ratio
        return (
            self.work,
            self.says or _rate(self.figures),
            f"{_rate(self.ceilings)} {self.ceiling}" if self.ceilings else "",
            f"{ratio:.2f}" if ratio is not None else "",
            f"{self.wanted:.1f}" if self.wanted is not None else "",
            f"{self.peak_mb:.0f}" if self.peak_mb is not None else "",
        )


def _rate(figures: Sequence[float]) -> str:
    if not figures:
        return ""
    spread = f" ({min(figures):,.0f} to {max(figures):,.0f})" if len(figures) > 1 else ""
    return f"{statistics.median(figures):,.0f}/s{spread}"


def show(rows: Sequence[Row]) -> None:
    """Print the table."""
    table = Table(*COLUMNS)
    for row in rows:
        table.add_row(*row.cells(), style="" if _reached(row) else "yellow")
    seen = Console()
    console = seen if seen.is_terminal else Console(width=190)
    console.print(table)
    for note in _notes(rows):
        console.print(note, markup=False, highlight=False, soft_wrap=True)


def write(file: Path, rows: Sequence[Row], circumstances: Sequence[str]) -> None:
    """Write the table as Markdown."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench ARGS=--write`. Figures are events a second (commits, where the row says so): the",
        "median, and from least to most. The ceiling was measured in the same run on the same servers.",
        "",
        *(f"- {each}" for each in circumstances),
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
        *("| " + " | ".join(row.cells()) + " |" for row in rows),
    ]
    notes = list(_notes(rows))
    file.write_text("\n".join([*lines, *(["", *(f"- {note}" for note in notes)] if notes else [])]) + "\n")


def _reached(row: Row) -> bool:
    return row.wanted is None or row.ratio is None or row.ratio >= row.wanted


def _notes(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        for note in row.notes:
            yield f"{row.work}: {note}"

"""Faults of a record: the row, the rule, and the remedy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """One error: its `row` (`recommendations[0].mandates[2].provision`), its `rule`, and in `says` the remedy."""

    row: str
    rule: str
    says: str
    line: int | None = None

    @property
    def where(self) -> str:
        """The row, and its line if that is known."""
        return f"{self.row} (line {self.line})" if self.line else self.row

    def __str__(self) -> str:
        return f"{self.where}: {self.rule}: {self.says}"


class RecordRefused(ValueError):
    """The record has errors; no command was sent."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


@dataclass(frozen=True)
class Places:
    """The names and line numbers of places in a record (`tree`), as its author knows them.

    Instruments of a companion file follow the record's own: `companion` is its name, `own` the number of the record's.
    """

    tree: Any = None
    lines: Mapping[Place, int] = field(default_factory=dict)
    companion: str = ""
    own: int = 0

    def name(self, place: Place) -> str:
        """Return the name of a place in the author's notation."""
        match place:
            case ("instruments", int(index), *more) if self.companion and index >= self.own:
                return path_of((self.companion, index - self.own, *more))
            case _:
                return path_of(self._as_written(place))

    def _as_written(self, place: Place) -> Iterator[str | int]:
        """Omit the index of a single entry where the format also accepts a list."""
        tree = self.tree
        for part in place:
            if isinstance(part, int) and isinstance(tree, dict):
                continue
            yield part
            try:
                tree = tree[part]
            except (KeyError, IndexError, TypeError):
                tree = None

    def line(self, place: Place) -> int | None:
        """Return the line of a place, or of its nearest ancestor in the file."""
        place = tuple(self._as_written(place))
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place)

    def fault(self, place: Place, rule: str, says: str) -> Fault:
        """Return a fault at a place."""
        return Fault(self.name(place), rule, says, self.line(place))


def path_of(place: Iterable[str | int]) -> str:
    """Return a place as a path: `recommendations[0].mandates[2].provision`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".") or "the record"


def refused(row: str, rule: str, says: str, line: int | None = None) -> RecordRefused:
    """Return the refusal of a whole file for one fault."""
    return RecordRefused([Fault(row, rule, says, line)])

"""What was measured, written down part by part, so that a run that is cut short loses nothing and can go on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.table import Row


class Kept:
    """The rows of a run and of those that go on with it, in a file: they must be of the same size."""

    def __init__(self, file: Path, size: Mapping[str, Any], *, go_on: bool) -> None:
        self._file = file
        self._size = dict(size)
        self._parts: dict[str, Any] = {}
        if go_on and file.exists():
            found = json.loads(file.read_text())
            if found["size"] != self._size:
                raise ValueError(f"{file} holds a run of another size: {found['size']}, not {self._size}")
            self._parts = found["parts"]

    def has(self, part: str) -> bool:
        """Tell whether a part was measured."""
        return part in self._parts

    def put(self, part: str, rows: Sequence[Row], told: str) -> None:
        """Write the rows of a part down, and when and under what load it was measured."""
        self._parts[part] = {"rows": [asdict(row) for row in rows], "told": told}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        written = self._file.with_suffix(".new")
        written.write_text(json.dumps({"size": self._size, "parts": self._parts}, indent=1))
        written.replace(self._file)

    def rows(self, parts: Sequence[str]) -> list[Row]:
        """Return the rows of these parts that were measured, in this order."""
        return [_row(row) for part in parts if part in self._parts for row in self._parts[part]["rows"]]

    def told(self, parts: Sequence[str]) -> list[str]:
        """Say of each of these parts when it was measured."""
        return [f"{part}: {self._parts[part]['told']}" for part in parts if part in self._parts]


def _row(kept: Mapping[str, Any]) -> Row:
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}
    return Row(**given)

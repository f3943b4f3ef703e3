"""The rows measured so far, stored part by part, so that an interrupted run loses nothing and can resume."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.table import Row


class ResultsFile:
    """A file of the rows of a run and of the runs that resume it, all of the same size."""

    def __init__(self, file: Path, size: Mapping[str, Any], *, resume: bool) -> None:
        self._file = file
        self._size = dict(size)
        self._parts: dict[str, Any] = {}
        if resume and file.exists():
            earlier = json.loads(file.read_text())
            if earlier["size"] != self._size:
                raise ValueError(f"{file} holds a run of another size: {earlier['size']}, not {self._size}")
            self._parts = earlier["parts"]

    def has(self, part: str) -> bool:
        """Tell whether a part was measured."""
        return part in self._parts

    def put(self, part: str, rows: Sequence[Row], circumstances: str) -> None:
        """Store the rows of a part, with the time and load of its measurement."""
        self._parts[part] = {"rows": [asdict(row) for row in rows], "circumstances": circumstances}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        written = self._file.with_suffix(".new")
        written.write_text(json.dumps({"size": self._size, "parts": self._parts}, indent=1))
        written.replace(self._file)

    def rows(self, parts: Sequence[str]) -> list[Row]:
        """Return the rows of those of these parts that were measured, in this order."""
        return [_row(row) for part in parts if part in self._parts for row in self._parts[part]["rows"]]

    def circumstances(self, parts: Sequence[str]) -> list[str]:
        """Return the time and load of each of these parts that was measured."""
        return [f"{part}: {self._parts[part]['circumstances']}" for part in parts if part in self._parts]


def _row(fields: Mapping[str, Any]) -> Row:
    tuples: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()
    }
    return Row(**tuples)

"""Records put aside by stream: some in memory, more of them on disk, so that each bucket can be folded by itself."""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Parts = tuple[Any, ...]
_IN_MEMORY = 16 * 1024 * 1024
_OVERHEAD = 200
_LENGTH = 8


class Spool:
    """Buckets of records; all the records of a stream are in one of them, in the order in which they came.

    Streams that began at about the same time share a bucket, for they rest on the same others.
    """

    def __init__(self, streams_each: int, in_memory: int = _IN_MEMORY) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="throughline-replay-")
        self._streams_each = streams_each
        self._buckets: dict[bytes, int] = {}
        self._held: list[list[Parts]] = []
        self._most = in_memory
        self._size = 0

    def __len__(self) -> int:
        return len(self._held)

    def put(self, stream: bytes, size: int, parts: Parts) -> None:
        """Put a record aside, in parts that are bytes, texts, numbers and tuples of such; `size` is about its bytes."""
        number = self._buckets.get(stream)
        if number is None:
            number = self._buckets[stream] = len(self._buckets) // self._streams_each
            if number == len(self._held):
                self._held.append([])
        self._held[number].append(parts)
        self._size += size + _OVERHEAD
        if self._size > self._most:
            self._write()

    def bucket(self, number: int) -> Iterator[Parts]:
        """Yield the records of a bucket."""
        if (file := self._file(number)).exists():
            with file.open("rb") as source:
                while head := source.read(_LENGTH):
                    chunk = source.read(int.from_bytes(head, "big"))
                    yield from marshal.loads(chunk)  # noqa: S302 - written by this process
        yield from self._held[number]

    def close(self) -> None:
        """Forget everything."""
        self._folder.cleanup()

    def _write(self) -> None:
        for number, held in enumerate(self._held):
            if held:
                chunk = marshal.dumps(held)
                with self._file(number).open("ab") as out:
                    out.write(len(chunk).to_bytes(_LENGTH, "big") + chunk)
                held.clear()
        self._size = 0

    def _file(self, number: int) -> Path:
        return Path(self._folder.name) / str(number)

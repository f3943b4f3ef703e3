"""A spool of records by stream, in memory and on disk: each bucket can be folded by itself."""

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
    """Buckets of records; one bucket holds all the records of a stream, in the order of their arrival.

    Streams that began at about the same time share a bucket, for they depend on the same others.
    """

    def __init__(self, streams_each: int, in_memory: int = _IN_MEMORY) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="throughline-replay-")
        self._streams_each = streams_each
        self._numbers: dict[bytes, int] = {}
        self._buffers: list[list[Parts]] = []
        self._limit = in_memory
        self._size = 0

    def __len__(self) -> int:
        return len(self._buffers)

    def put(self, stream: bytes, size: int, parts: Parts) -> None:
        """Spool a record as parts (bytes, texts, numbers, tuples of such); `size` estimates its bytes."""
        number = self._numbers.get(stream)
        if number is None:
            number = self._numbers[stream] = len(self._numbers) // self._streams_each
            if number == len(self._buffers):
                self._buffers.append([])
        self._buffers[number].append(parts)
        self._size += size + _OVERHEAD
        if self._size > self._limit:
            self._write()

    def bucket(self, number: int) -> Iterator[Parts]:
        """Yield the records of a bucket."""
        if (file := self._file(number)).exists():
            with file.open("rb") as source:
                while head := source.read(_LENGTH):
                    chunk = source.read(int.from_bytes(head, "big"))
                    yield from marshal.loads(chunk)  # noqa: S302 - written by this process
        yield from self._buffers[number]

    def close(self) -> None:
        """Delete the files."""
        self._folder.cleanup()

    def _write(self) -> None:
        for number, buffer in enumerate(self._buffers):
            if buffer:
                chunk = marshal.dumps(buffer)
                with self._file(number).open("ab") as out:
                    out.write(len(chunk).to_bytes(_LENGTH, "big") + chunk)
                buffer.clear()
        self._size = 0

    def _file(self, number: int) -> Path:
        return Path(self._folder.name) / str(number)

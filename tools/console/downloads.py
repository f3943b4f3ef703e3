"""Downloads: few of each reader at a time, each for a limited time, and what one holds is released at its end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterable, Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

SECONDS = 300.0
OF_A_READER = 3


class TooManyDownloads(Exception):
    """A reader has as many downloads as one may have at a time."""


class Downloads:
    """The downloads of each reader that are not done."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    @contextmanager
    def one_of(self, reader: str) -> Iterator[None]:
        """Count one download of a reader. Raises TooManyDownloads."""
        if self._open[reader] >= OF_A_READER:
            raise TooManyDownloads
        self._open[reader] += 1
        try:
            yield
        finally:
            self._open[reader] -= 1
            self._open += Counter()  # forgets the readers who have none


class Download(StreamingResponse):
    """A file in pieces; what it holds is released once it is sent, or its reader has gone or is too slow."""

    def __init__(
        self,
        content: AsyncIterable[bytes] | Iterable[bytes],
        name: str,
        held: AsyncExitStack,
        media: str = "application/octet-stream",
        size: int | None = None,
    ) -> None:
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        length = {} if size is None else {"Content-Length": str(size)}
        super().__init__(content, media_type=media, headers=headers | length)
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file; one that breaks off does not end as a whole one does."""
        async with self._held, asyncio.timeout(SECONDS):
            await super().__call__(scope, receive, send)

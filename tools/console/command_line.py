"""The project's own command line, run for a reader: exports, verifications and proofs, which no service serves."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from starlette.requests import Request

CONCURRENT = 2
SECONDS = 300.0
PROGRAM = (sys.executable, "-P", "-m", "tools.cli.app")
_SAYS = 2_000
_UNREACHABLE = 3  # of tools.client.errors, which loads the command line's libraries


class CommandFailed(Exception):
    """A command that did not do its work: why, and the sentence that it ended with."""

    STATUS: Mapping[str, int] = {"busy": 503, "late": 504, "away": 503, "failed": 409}

    def __init__(self, why: Literal["busy", "late", "away", "failed"], says: str = "") -> None:
        super().__init__(f"{why}: {says}")
        self.why, self.says = why, says

    @property
    def status(self) -> int:
        """Return the status of the page that says so."""
        return self.STATUS[self.why]


class CommandLine:
    """The command line with the addresses of the services: a few commands run at the same time, each as one reader."""

    def __init__(
        self, addresses: Mapping[str, str], program: Sequence[str] = PROGRAM, seconds: float = SECONDS
    ) -> None:
        self._addresses = {f"THROUGHLINE_URL_{name.upper()}": address for name, address in addresses.items()}
        self._program, self._seconds = program, seconds
        self._folders = 0

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Yield a folder for the files of commands, which is removed at the end. Raises CommandFailed (busy)."""
        if self._folders >= CONCURRENT:
            raise CommandFailed("busy")
        self._folders += 1
        try:
            with TemporaryDirectory(prefix="throughline-console-") as folder:
                yield Path(folder)
        finally:
            self._folders -= 1

    async def run(self, request: Request, folder: Path, *words: str, codes: Sequence[int] = (0,)) -> bytes:
        """Run a command in a folder with the reader's token, and return what it printed.

        It is killed when it takes too long, or when the reader goes away. Raises CommandFailed.
        """
        process = self._start(folder, request.state.person.token, words)
        ended = asyncio.create_task(asyncio.to_thread(process.communicate))
        left = asyncio.create_task(_left(request))
        try:
            await asyncio.wait((ended, left), timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
            is_late = not ended.done()
        finally:
            left.cancel()
            process.kill()
        printed, says = await ended
        if is_late:
            raise CommandFailed("late")
        if process.returncode not in codes:
            why: Literal["away", "failed"] = "away" if process.returncode == _UNREACHABLE else "failed"
            raise CommandFailed(why, says.decode(errors="replace").strip()[-_SAYS:])
        return printed

    def _start(self, folder: Path, token: str, words: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a command without the console's own settings and keys, without a proxy or a local stack."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("THROUGHLINE_")}
        own = {"THROUGHLINE_TOKEN": token, "THROUGHLINE_HOME": str(folder), "NO_PROXY": "*", "no_proxy": "*"}
        return subprocess.Popen(
            [*self._program, *words], cwd=folder, env=others | self._addresses | own,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip


async def _left(request: Request) -> None:
    """Return once the reader has gone away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass

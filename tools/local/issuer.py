"""The development sign-in of a local stack, as a process of it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.local.ports import answers
from tools.local.processes import Child, wait_until


class Issuer:
    """The provider as a child of the stack, on loopback."""

    name = "issuer"

    def __init__(self, home: Path, port: int) -> None:
        self.where = self.url = f"http://127.0.0.1:{port}"
        self._home, self._port = home, port

    def prepare(self) -> None:
        """Do nothing: it reads the stack's key."""

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", "tools.local.sign_in", "--home", str(self._home), "--port", str(self._port)]

    def environment(self) -> Mapping[str, str]:
        return {}

    def await_ready(self, child: Child) -> None:
        wait_until(child, lambda: answers(f"127.0.0.1:{self._port}"))

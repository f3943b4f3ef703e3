"""The web console, as a process of the local stack."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import httpx2

from tools.local.processes import Child, wait_until


class Console:
    """The console on `url`, with its environment."""

    name = "console"

    def __init__(self, url: str, environment: Mapping[str, str]) -> None:
        self.where = self.url = url
        self._environment = environment

    def prepare(self) -> None:
        """Do nothing: the console reads only its environment."""

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", "tools.console"]

    def environment(self) -> Mapping[str, str]:
        return self._environment

    def await_ready(self, child: Child) -> None:
        with httpx2.Client(trust_env=False, timeout=2) as client:
            wait_until(child, lambda: is_ready(self.url, client))


def is_ready(url: str, client: httpx2.Client) -> bool:
    """Return True if the console answers."""
    try:
        return client.get(f"{url}/healthz").status_code == httpx2.codes.OK
    except httpx2.HTTPError:
        return False

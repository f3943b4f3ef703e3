"""One of the four services, as a process of the local stack."""

import sys
from collections.abc import Mapping, Sequence

import httpx

from tools.local.processes import Child, wait_until


class Service:
    """A service on `url`, with its environment."""

    def __init__(self, name: str, port: int, environment: Mapping[str, str]) -> None:
        self.name = name
        self.where = self.url = f"http://127.0.0.1:{port}"
        self._environment = environment

    def prepare(self) -> None:
        """Do nothing: a service reads only its environment."""

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", f"services.{self.name}.app"]

    def environment(self) -> Mapping[str, str]:
        return self._environment

    def await_ready(self, child: Child) -> None:
        with httpx.Client(trust_env=False, timeout=2) as client:
            wait_until(child, lambda: is_ready(self.url, client))


def is_ready(url: str, client: httpx.Client) -> bool:
    """Return True if the service reports that it is ready."""
    try:
        return client.get(f"{url}/readyz").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False

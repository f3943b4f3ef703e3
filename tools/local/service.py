"""One of the four services, as a process of the local stack."""

import sys
from collections.abc import Mapping, Sequence

import httpx2

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
        """Return when it serves, or waits for a person to run a command, which it names."""
        with httpx2.Client(trust_env=False, timeout=2) as client:
            wait_until(child, lambda: is_ready(self.url, client) or bool(trouble_to_see_to(self.url, client)))
            if trouble := trouble_to_see_to(self.url, client):
                child.say(f"{self.name} is not ready: {trouble}")


def trouble_to_see_to(url: str, client: httpx2.Client) -> str | None:
    """Return the trouble of a service that names the command to run, if there is one."""
    try:
        troubles: dict[str, str] = client.get(f"{url}/readyz").json()["troubles"]
    except (httpx2.HTTPError, ValueError, KeyError):
        return None
    return next((trouble for trouble in troubles.values() if "run: throughline " in trouble), None)


def is_ready(url: str, client: httpx2.Client) -> bool:
    """Return True if the service reports that it is ready."""
    try:
        return client.get(f"{url}/readyz").status_code == httpx2.codes.OK
    except httpx2.HTTPError:
        return False

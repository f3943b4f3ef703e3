"""The interface of everything that the stack starts."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from tools.local.processes import Child


class Server(Protocol):
    """A server or service that the stack prepares, starts and awaits."""

    name: str
    where: str

    def prepare(self) -> None:
        """Write the files that it reads at its start."""

    def command(self) -> Sequence[str]:
        """Return the command line."""

    def environment(self) -> Mapping[str, str]:
        """Return environment variables beside those of this process."""

    def await_ready(self, child: Child) -> None:
        """Return when it serves. Raises CannotStart if its process ends before."""

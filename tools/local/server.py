"""What the stack needs to know about anything that it starts."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from tools.local.processes import Child


class Server(Protocol):
    """A process of the stack: how to prepare, start and await it."""

    name: str
    where: str

    def prepare(self) -> None:
        """Write what it reads at its start."""

    def command(self) -> Sequence[str]:
        """The command line."""

    def environment(self) -> Mapping[str, str]:
        """Variables besides those of this process."""

    def await_ready(self, child: Child) -> None:
        """Return when it serves; raise CannotStart when its process ends before."""

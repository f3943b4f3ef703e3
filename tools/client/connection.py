"""Where the services are and with what token they are asked: options, environment, or a running local stack."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from shared.events.catalogue import SERVICES
from tools.client.errors import BadInput, Unreachable
from tools.local.memory import Memory
from tools.local.stack import DEFAULT_HOME
from tools.local.tokens import KEY_FILE, mint

Home = Annotated[
    Path, typer.Option(envvar="THROUGHLINE_HOME", help="Folder of a local stack.", show_default=".throughline")
]
Token = Annotated[
    str | None,
    typer.Option(
        envvar="THROUGHLINE_TOKEN",
        help="Bearer token; on a local stack one is made where none is given.",
        show_default=False,
    ),
]
Format = Annotated[Literal["text", "json"], typer.Option("--format", help="text for people, json for scripts.")]
_errors = Console(stderr=True)


@dataclass
class Connection:
    """The way to the services. An address in the environment comes before the local stack's."""

    home: Path = DEFAULT_HOME
    token: str | None = None
    addresses: Mapping[str, str] = field(default_factory=dict)
    quiet: bool = False
    _made: dict[str, str] = field(default_factory=dict)

    def url(self, service: str) -> str:
        """Return where a service answers. Raises Unreachable where nothing says so."""
        if (given := self._given(service)) is not None:
            return given
        memory = Memory(self.home)
        if service not in memory.services():
            raise Unreachable(
                f"Nothing says where the service {service} is: start a stack (throughline stack up), "
                f"name its folder (--home), or set {_variable(service)}."
            )
        return f"http://127.0.0.1:{memory.ports()[service]}"

    def kafka(self) -> str:
        """Return the bootstrap address of the local stack's Kafka. Raises Unreachable."""
        try:
            return Memory(self.home).servers()[0]
        except LookupError:
            raise Unreachable("Nothing says where Kafka is: name it (--kafka HOST:PORT), or start a stack.") from None

    def token_for(self, service: str, role: str) -> str:
        """Return the token given, or make one for a role where a local stack has a key. Raises BadInput."""
        if self.token:
            return self.token
        if self._given(service) is not None or not (self.home / KEY_FILE).exists():
            raise BadInput("No token: give --token, or set THROUGHLINE_TOKEN.")
        if role not in self._made:
            self._made[role] = mint(self.home, role=role, subject=f"local-cli-{role}")
            if not self.quiet:
                _errors.print(f"With a local token for the role {role}, made for this command.", style="dim")
        return self._made[role]

    def _given(self, service: str) -> str | None:
        given = self.addresses.get(service) or os.environ.get(_variable(service))
        return given.rstrip("/") if given else None


def _variable(service: str) -> str:
    assert service in SERVICES
    return f"THROUGHLINE_URL_{service.upper()}"

"""Addresses of the services and the bearer token: from options, the environment, or a running local stack."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import typer

from shared.runtime.kafka_access import KafkaAccess
from tools.client.errors import BadInput, Unreachable
from tools.client.printable import printable
from tools.client.stack_home import DEFAULT_HOME, StackHome

_TOKEN = re.compile("[A-Za-z0-9._~+/=-]+")
Home = Annotated[
    Path, typer.Option(envvar="THROUGHLINE_HOME", help="Folder of a local stack.", show_default=".throughline")
]
Token = Annotated[
    str | None,
    typer.Option(
        envvar="THROUGHLINE_TOKEN",
        help="Bearer token; on a local stack one is minted where none is given.",
        show_default=False,
    ),
]
Kafka = Annotated[
    str | None,
    typer.Option(
        "--kafka",
        envvar="THROUGHLINE_KAFKA",
        metavar="HOST:PORT",
        help="Kafka; the local stack's where none is named.",
    ),
]
Format = Annotated[Literal["text", "json"], typer.Option("--format", help="text for people, json for scripts.")]


@dataclass
class Connection:
    """Addresses and tokens of the services. An address in the environment comes before the local stack's.

    `claims` are what a token that is minted names beside its role: a focal point's member, an expert's person.
    """

    home: Path = DEFAULT_HOME
    token: str | None = None
    addresses: Mapping[str, str] = field(default_factory=dict)
    quiet: bool = False
    claims: Mapping[str, Any] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)

    def url(self, service: str) -> str:
        """Return a service's base URL. Raises Unreachable where neither the environment nor a stack names one.

        Raises BadInput.
        """
        if (configured := self._configured(service)) is not None:
            if not _is_address(configured):
                raise BadInput(f"{_variable(service)} {printable(configured)}: is no address; write http://HOST:PORT.")
            return configured
        stack = StackHome(self.home)
        if service not in stack.services():
            raise Unreachable(
                f"Nothing says where the service {service} is: start a stack (throughline stack up), "
                f"name its folder (--home), or set {_variable(service)}."
            )
        return f"http://127.0.0.1:{stack.ports()[service]}"

    def is_expected(self, service: str) -> bool:
        """Tell whether a service should answer: somebody gave its address, or the local stack runs."""
        return self._configured(service) is not None or StackHome(self.home).runs()

    def kafka(self, bootstrap: str | None = None) -> KafkaAccess:
        """Return the access to a named Kafka, as the settings say, or to the local stack's.

        Raises Unreachable, BadInput.
        """
        if bootstrap is not None:
            return configured_kafka(bootstrap)
        try:
            return StackHome(self.home).kafka()
        except LookupError:
            raise Unreachable("Nothing says where Kafka is: name it (--kafka HOST:PORT), or start a stack.") from None

    def token_for(self, service: str, role: str) -> str:
        """Return the token given, or mint one for a role with the key of a local stack. Raises BadInput."""
        if self.token:
            if _TOKEN.fullmatch(self.token.strip()) is None:
                raise BadInput("--token: is no bearer token: it holds characters that none has.")
            return self.token.strip()
        from tools.client.tokens import KEY_FILE, mint

        if self._configured(service) is not None or not (self.home / KEY_FILE).exists():
            raise BadInput("No token: give --token, or set THROUGHLINE_TOKEN.")
        if role not in self._tokens:
            self._tokens[role] = mint(self.home, role=role, subject=f"local-cli-{role}", **self.claims)
            if not self.quiet:
                says = f"With a local token for the role {role}, minted for this command."
                typer.secho(printable(says), dim=True, err=True)
        return self._tokens[role]

    def _configured(self, service: str) -> str | None:
        url = self.addresses.get(service) or os.environ.get(_variable(service))
        return url.rstrip("/") if url else None


def configured_kafka(bootstrap: str) -> KafkaAccess:
    """Return the access to a named Kafka for the user that the settings name. Raises BadInput."""
    from shared.runtime.kafka_settings import are_brokers
    from shared.runtime.settings import CannotStart, KafkaSettings, read

    if not are_brokers(bootstrap):
        raise BadInput(f"--kafka {printable(bootstrap)}: is no address; write HOST:PORT.")
    try:
        return read(KafkaSettings, kafka=bootstrap).kafka_access()
    except CannotStart as fault:
        raise BadInput(str(fault)) from None


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_complete = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return is_complete and url.isprintable() and " " not in url


def _variable(service: str) -> str:
    return f"THROUGHLINE_URL_{service.upper()}"

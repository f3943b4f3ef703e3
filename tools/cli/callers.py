"""Options that every command and query on the record takes: who calls, and where the record is named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote

import typer

from tools.cli.options import chosen
from tools.client.api import Parameter, Route
from tools.client.connection import Connection, Format, Home, Token
from tools.client.errors import BadInput
from tools.client.printable import quoted
from tools.client.stack_home import DEFAULT_HOME

FOCAL_POINT = "focal_point"
_LEAST = ("auditor", "secretariat")


class _Claim(NamedTuple):
    """A claim of a token that says whom a role stands for, and its form."""

    name: str
    form: re.Pattern[str]
    example: str


_CLAIMS = {
    FOCAL_POINT: _Claim("member", re.compile("[A-Z]{3}"), "FJI"),
    "expert": _Claim("expert", re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}"), "PERSON"),
}


def caller_arguments(rows: Sequence[Route]) -> dict[str, tuple[Any, Any]]:
    """Return the arguments that say who calls, where the stack is, and how the answer is shown."""
    return {
        "role": (_role_option(rows), None),
        "shown_as": (Format, "text"),
        "home": (Home, DEFAULT_HOME),
        "token": (Token, None),
    }


def _role_option(rows: Sequence[Route]) -> Any:
    """Return the option that names the role of a local token."""
    words = ", ".join(f"{role}:{_CLAIMS[role].example}" if role in _CLAIMS else role for role in _roles(rows))
    says = f"Role of the token that is minted on a local stack: {words}."
    return Annotated[str | None, typer.Option("--role", help=says, show_default=default_role(rows[0]))]


def default_role(row: Route) -> str:
    """Return the role that a local token names where none is chosen: the one that may least."""
    return next((role for role in _LEAST if role in row.roles), row.roles[0])


def _roles(rows: Sequence[Route]) -> list[str]:
    return sorted({role for row in rows for role in row.roles})


def connection_of(
    rows: Sequence[Route], role: str | None, home: Path, token: str | None
) -> tuple[Connection, str | None]:
    """Return the connection, and the role that was chosen for its local token. Raises BadInput."""
    if role is None:
        return Connection(home, token), None
    if token:
        raise BadInput("--role: the token that is given names its role; leave one of them out.")
    name, _, whom = role.partition(":")
    chosen("--role", name, _roles(rows), "a role that may do this")
    claim = _CLAIMS.get(name)
    if (name == FOCAL_POINT and not whom) or (whom and (claim is None or claim.form.fullmatch(whom) is None)):
        raise BadInput(
            f"--role {quoted(role)}: a focal point speaks for one member, as in focal_point:FJI; an expert may be one "
            "person, by an opaque id; no other role has either."
        )
    return Connection(home, None, claims={claim.name: whom} if claim and whom else {}), name


def id_argument(row: Route) -> Any:
    """Return the argument that names a record."""
    parts = row.in_path
    says = "/".join(str(part.examples[0]) if part.examples else part.name for part in parts)
    return Annotated[str, typer.Argument(metavar="ID", help=f"The {row.noun}: {says}.", show_default=False)]


def path_of(row: Route, ident: str | None) -> str:
    """Return the path of a record. Raises BadInput for what is no id."""
    parts = row.in_path
    if not parts:
        return row.path
    texts = [ident or ""] if len(parts) == 1 else (ident or "").split("/")
    if len(texts) != len(parts):
        shape = "/".join(part.name for part in parts)
        raise BadInput(f"{quoted(ident)}: is not the id of a {row.noun}; write {shape}{_example(parts)}.")
    named = {part.name: _part(row, part, text) for part, text in zip(parts, texts, strict=True)}
    return row.path.format_map(named)


def _part(row: Route, part: Parameter, text: str) -> str:
    about = f"{quoted(text)}: is not the id of a {row.noun}"
    if part.pattern and re.fullmatch(part.pattern, text) is None:
        whose = "it is" if len(row.in_path) == 1 else f"its {part.name} is"
        raise BadInput(f"{about}; {whose} {part.form or f'of the form {part.pattern}'}.")
    if part.type == "integer" and not (text.isascii() and text.isdecimal()):
        raise BadInput(f"{about}; its {part.name} is a number.")
    if not part.pattern and any(step in {"", ".", ".."} for step in text.split("/")):
        raise BadInput(f"{about}.")
    try:
        return quote(text, safe="/")
    except UnicodeEncodeError:
        raise BadInput(f"{quoted(text)}: holds bytes that are no UTF-8 text.") from None


def _example(parts: Sequence[Parameter]) -> str:
    if not all(part.examples for part in parts):
        return ""
    return f", as in {'/'.join(str(part.examples[0]) for part in parts)}"

"""`throughline token`: a bearer token for a role, on a local stack only."""

import re
from datetime import timedelta
from typing import Annotated

import typer

from shared.domain.members import MEMBERS
from shared.events.values import ID, ID_IN_WORDS
from shared.events.words import Role, words
from tools.cli.options import chosen, read_text
from tools.client.connection import Home
from tools.client.errors import BadInput, Failure, exits
from tools.client.stack_home import DEFAULT_HOME
from tools.client.tokens import KEY_FILE, mint
from tools.render.terminal import print_line

ROLES = tuple(role for role in words(Role) if role != "system")
_LIFETIME = re.compile("([1-9][0-9]{0,4})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def token(
    role: Annotated[str, typer.Option(help=f"One of {', '.join(ROLES)}.")],
    subject: Annotated[str | None, typer.Option(help="Opaque id of the caller; never a name.")] = None,
    member: Annotated[str | None, typer.Option(help="ISO 3166-1 alpha-3, for a focal point.")] = None,
    expert: Annotated[str | None, typer.Option(help="Opaque id of the person, for an expert of the group.")] = None,
    lifetime: Annotated[str, typer.Option(help="As in 30m, 8h, 2d.")] = "8h",
    home: Home = DEFAULT_HOME,
) -> None:
    """Print a token for a role, signed with the key of a local stack.

    Example: throughline token --role focal_point --member FJI

    Exit code: 0 with the token on standard output; 1 where no local stack was ever started; 2 for bad input.
    """
    with exits():
        _check(role, member, expert)
        caller = read_text("--subject", subject or f"local-{role}")
        duration = _duration(lifetime)
        if not (home / KEY_FILE).exists():
            raise Failure(f"{home} has no key: a token is issued only on a local stack (throughline stack up).")
        print_line(mint(home, role=role, subject=caller, member=member, expert=expert, lifetime=duration))


def _check(role: str, member: str | None, expert: str | None) -> None:
    chosen("--role", role, ROLES, "a role")
    if role == "focal_point" and member is None:
        raise BadInput("--member: a focal point speaks for one member; name it, as in --member FJI.")
    if member is not None and member not in MEMBERS:
        raise BadInput(f"--member {member}: is none of the 62 members and associate members (ISO 3166-1 alpha-3).")
    if expert is not None and re.fullmatch(ID, expert) is None:
        raise BadInput(f"--expert {expert}: is no id of a person; an id is {ID_IN_WORDS}.")


def _duration(lifetime: str) -> timedelta:
    if (match := _LIFETIME.fullmatch(lifetime)) is None:
        raise BadInput(f"--lifetime {lifetime}: is not a time; write it as in 30m, 8h, 2d.")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})

"""Reads from a token's claims who the caller is; the file of people gives what they leave out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from shared.events.values import ID
from shared.events.words import CallerRole, words
from shared.http.people import People
from shared.http.problems import Refused
from shared.runtime.settings import SignInSettings

_MEMBER = re.compile("[A-Z]{3}")
_REMEDY = "ask whoever administers the sign-in"


class Identity(NamedTuple):
    """The identity of a caller: a role, for a focal point its member, for an expert of the group the person."""

    role: str
    member: str | None = None
    expert: str | None = None


class ClaimReader:
    """The names of the claims, the roles of groups, and the file of people. Claims win, each by itself."""

    def __init__(self, settings: SignInSettings) -> None:
        """Read the file of people, if there is to be one. Raises CannotStart."""
        self.people = People(settings.people_file, settings.issuer)
        self._names = settings.role_claim, settings.member_claim, settings.expert_claim
        self._roles: Mapping[str, str] = settings.roles or {role: role for role in words(CallerRole)}

    def identify(self, claims: Mapping[str, Any]) -> Identity:
        """Return what a caller is by verified claims and the file of people. Raises Refused (403)."""
        groups, member, expert = (claim(claims, name) for name in self._names)
        person = self.people.find(claims["sub"])
        role = self._role_of(groups) or (person.role if person else None)
        match role:
            case None:
                raise Refused(403, "RoleNotGiven", f"no claim of your token gives you a role here: {_REMEDY} for one")
            case "focal_point":
                return Identity(role, member=_member_of(_own(member) or (person.member if person else None)))
            case "expert":
                return Identity(role, expert=_expert_of(_own(expert) or (person.expert if person else None)))
            case _:
                return Identity(role)

    def _role_of(self, groups: Any) -> str | None:
        roles = sorted({self._roles[group] for group in _texts(groups) if group in self._roles})
        if len(roles) > 1:
            raise Refused(
                403,
                "SeveralRoles",
                f"your token gives you {len(roles)} roles, {' and '.join(roles)}, and a person acts in one: {_REMEDY} "
                "to leave one",
            )
        return roles[0] if roles else None


def claim(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim by its name or, for a nested one, by its path, as in `realm_access.roles`; None without it."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _texts(value: Any) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str):
            yield each


def _own(value: Any) -> Any:
    """Return a claim's value, or the only one of its list: some providers make a list of every attribute."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _member_of(value: Any) -> str:
    if not isinstance(value, str) or _MEMBER.fullmatch(value) is None:
        raise Refused(
            403,
            "MemberNotGiven",
            f"a focal point speaks for one member, and your token names none by its code: {_REMEDY}",
        )
    return value


def _expert_of(value: Any) -> str | None:
    if value is not None and (not isinstance(value, str) or re.fullmatch(ID, value) is None):
        raise Refused(403, "ExpertNotAPerson", f"the claim that ties you to the group is no id of a person: {_REMEDY}")
    return value

"""The 53 members and 9 associate members of ESCAP, from the register in shared/reference."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Literal, cast

MemberKind = Literal["member", "associate_member"]


@dataclass(frozen=True)
class EscapMember:
    """A member or associate member, with its United Nations name."""

    name: str
    kind: MemberKind


def _read() -> dict[str, EscapMember]:
    register = files("shared").joinpath("reference", "escap_members.csv").read_text(encoding="utf-8")
    return {
        row["iso3"]: EscapMember(row["un_name"], cast(MemberKind, row["kind"]))
        for row in csv.DictReader(register.splitlines())
    }


MEMBERS: Mapping[str, EscapMember] = MappingProxyType(_read())

"""Headers with which a caller makes a command safe to repeat: Idempotency-Key, and If-Match as RFC 9110 has it."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Annotated

from fastapi import Header
from pydantic import BeforeValidator

from shared.events.wording import form
from shared.http.problems import Refused

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_VERSION = re.compile("[0-9]{1,9}")
_EMPTY = re.compile(r"[ \t]*(,|$)[ \t]*")
_ANY = range(1, 2**31)


def unquoted(key: str) -> str:
    """Return a command id: a structured field's string, in quotes, stands for the text in it."""
    return key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key


CommandId = Annotated[
    str,
    BeforeValidator(unquoted),
    Header(
        alias="Idempotency-Key",
        pattern=form(r"^[A-Za-z0-9._:-]{8,100}$", "8 to 100 letters, digits, '.', '_', ':' and '-', bare or in quotes"),
        description="the command's id, bare or in quotes: send it again with a retry, and the command happens once",
        examples=["0197f0a4-5b1e-7c3a-9d52-3c1b7f0e8a11"],
    ),
]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description='the version decided upon, as `"5"`; several as a list; `*` for any'),
]


def expected_versions(if_match: str | None) -> Container[int] | None:
    """Return the versions that an If-Match admits; None without one. Raises Refused (400).

    A weak tag, and a tag that is no version of ours, admits none: the comparison is the strong one.
    """
    if if_match is None:
        return None
    if if_match.strip() == "*":
        return _ANY
    tags = _tags(if_match.strip())
    return {int(tag) for weak, tag in tags if not weak and _VERSION.fullmatch(tag)}


def _tags(text: str) -> list[tuple[str, str]]:
    """Return the entity tags of a list, each with its mark of weakness."""
    tags: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        tag = _TAG.match(text, at)
        end = _EMPTY.match(text, tag.end() if tag else at)
        if end is None:
            raise Refused(400, "IfMatchNotAVersion", 'If-Match is *, or versions in quotes, as in If-Match: "5", "6"')
        if tag:
            tags.append((tag[1] or "", tag[2]))
        at = end.end()
    if not tags:
        raise Refused(400, "IfMatchNotAVersion", 'If-Match is *, or versions in quotes, as in If-Match: "5", "6"')
    return tags

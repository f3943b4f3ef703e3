"""Arguments and options that several commands read, each by the rules that the services read theirs by."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import typer

from shared.domain.spelling import normal, suggestion
from tools.client.errors import BadInput
from tools.client.printable import printable
from tools.files import NotAFile
from tools.render.terminal import print_line

REFERENCE = re.compile("[A-Z][A-Z0-9]{1,9}/[12][0-9]{3}/R[1-9][0-9]{0,4}")
"""The form of `shared.events.values.Reference`, without the time that its import takes; a test compares the two."""
_FAULTS = {"string_unicode": "holds bytes that are no UTF-8 text", "string_too_short": "is empty"}


def chosen(option: str, word: str, known: Sequence[str], kind: str = "one of its words") -> str:
    """Return a word of a closed list. Raises BadInput, which names the nearest."""
    if word in known:
        return word
    near = suggestion(word, known)
    raise BadInput(f"{_named(option, word)} is not {kind}; they are {', '.join(known)}{f': {near}' if near else '.'}")


def password_in(file: Path, option: str = "--passwords") -> str:
    """Return the password in a file. Raises BadInput."""
    from tools.deployment.passwords import read_password

    try:
        return read_password(file)
    except NotAFile as fault:
        raise BadInput(f"{option}: {fault}.") from None


def service_named(name: str, option: str = "--service") -> str:
    """Return the name of a service. Raises BadInput."""
    from shared.events.services import SERVICES

    return chosen(option, name, SERVICES, "a service")


def confirm(question: str, done: str, *, yes: bool) -> None:
    """Ask whether to do what cannot be taken back, unless that was answered. Raises BadInput without a yes."""
    try:
        agreed = yes or typer.confirm(question)
    except typer.Abort:
        print_line("")
        agreed = False
    if not agreed:
        raise BadInput(f"Nothing was {done}: answer y, or give --yes.")


def read_text(option: str, text: str) -> str:
    """Return a text that a service takes, in form NFC. Raises BadInput."""
    from shared.events.values import Text

    return normal(_read(Text, option, text))


def read_reference(text: str) -> str:
    """Return a recommendation's reference. Raises BadInput."""
    if REFERENCE.fullmatch(text) is None:
        raise BadInput(f"{printable(text)}: is not a reference; write it as in CED/2022/R1.")
    return text


def read_person(text: str) -> str:
    """Return a person's id. Raises BadInput."""
    from shared.events.values import Id

    return str(_read(Id, "", text, "is not a person's id; it is one opaque word, never a name"))


def read_day(option: str, text: str | None) -> date | None:
    """Return a day in the world. Raises BadInput."""
    from shared.http.query_times import Day

    return None if text is None else _read(Day, option, text, "is not a day; write YYYY-MM-DD")


def read_time(option: str, text: str | None) -> datetime | None:
    """Return a time of recording, in UTC. Raises BadInput."""
    from shared.http.query_times import Moment

    return None if text is None else _read(Moment, option, text, "is not a time; write it as in 2026-01-31T12:00:00Z")


def read_stamp(option: str, text: str | None) -> str | None:
    """Return a time of recording in the form of an event's `time`. Raises BadInput."""
    from shared.events.envelope import stamp

    moment = read_time(option, text)
    return None if moment is None else stamp(moment)


def finite(value: float) -> float:
    """Return a number of seconds; `nan` and `inf` are none. Raises BadParameter."""
    if not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a number of seconds.")
    return value


def _read(kind: Any, option: str, text: str, says: str | None = None) -> Any:
    from pydantic import TypeAdapter, ValidationError

    from shared.events.wording import sentence_of

    try:
        return TypeAdapter(kind).validate_python(text)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        why = says or _FAULTS.get(fault["type"]) or sentence_of(fault)
        raise BadInput(f"{_named(option, text)} {why}.") from None


def _named(option: str, value: str) -> str:
    return f"{option} {printable(value)}:".lstrip()

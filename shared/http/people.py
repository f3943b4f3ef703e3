"""The file of people: roles, members and experts of those whose provider sends no such claims."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import structlog
import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from shared.domain.members import MEMBERS
from shared.events.values import ID, Model
from shared.events.words import CallerRole
from shared.runtime.configuration import CannotStart, why_unreadable
from shared.runtime.regular_file import read_text

log = structlog.get_logger()

VARIABLE = "THROUGHLINE_PEOPLE_FILE"
LOOK_EVERY_SECONDS = 1.0


class Person(Model):
    """The entry of a subject: a role, for a focal point its member, for an expert of the group the person."""

    role: CallerRole
    member: str | None = None
    expert: str | None = Field(None, pattern=ID)

    @model_validator(mode="after")
    def _is_whole(self) -> Person:
        if self.member is not None and self.member not in MEMBERS:
            raise ValueError("member is none of the 62 members and associate members (ISO 3166-1 alpha-3)")
        if self.role == "focal_point" and self.member is None:
            raise ValueError("a focal point needs its member")
        return self


class _Content(Model):
    issuer: str
    people: dict[str, Person]

    @field_validator("people", mode="before")
    @classmethod
    def _has_texts_for_subjects(cls, people: Any) -> Any:
        for number, subject in enumerate(people if isinstance(people, dict) else (), start=1):
            if not isinstance(subject, str):
                raise ValueError(f"the subject of entry {number} is no text: write it in quotes")
        return people


class Spoilt(ValueError):
    """A file of people that cannot be used. The message says where, and repeats nothing of it."""


class _Loader(yaml.SafeLoader):
    """A loader that refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        read: set[object] = set()
        for key, _ in node.value:
            if key.value in read if isinstance(key, yaml.ScalarNode) else False:
                raise yaml.MarkedYAMLError(problem="a subject or field is given twice", problem_mark=key.start_mark)
            read.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        return super().construct_mapping(node, deep)


class People:
    """The people of the file, read again when it changed; a spoilt file leaves the last good one in force."""

    def __init__(self, file: Path | None, issuer: str) -> None:
        """Read the file, if there is to be one. Raises CannotStart."""
        self.warning = ""
        self._file, self._issuer = file, issuer
        self._people: dict[str, Person] = {}
        self._checked_at, self._state = time.monotonic(), self._stamp()
        if file is not None:
            try:
                self._people = parse(read_text(file), issuer)
            except (OSError, ValueError) as fault:
                raise CannotStart(f"{VARIABLE}: {_reason(self._file, fault)}") from None

    def find(self, subject: str) -> Person | None:
        """Return what the file says of a subject."""
        self.look()
        return self._people.get(subject)

    def look(self) -> None:
        """Read the file again, where it changed since the last look; at most once a second."""
        if self._file is None or time.monotonic() - self._checked_at < LOOK_EVERY_SECONDS:
            return
        self._checked_at = time.monotonic()
        if (state := self._stamp()) == self._state:
            return
        self._state = state
        try:
            self._people = parse(read_text(self._file), self._issuer)
        except (OSError, ValueError) as fault:
            self.warning = f"{VARIABLE} was not read again, its last good content is used: {_reason(self._file, fault)}"
            log.error("people_file_spoilt", reason=_reason(self._file, fault))
        else:
            self.warning = ""
            log.info("people_file_read", people=len(self._people))

    def _stamp(self) -> tuple[int, ...] | None:
        try:
            status = os.stat(self._file) if self._file is not None else None
        except OSError:
            return None
        return status and (status.st_ino, status.st_size, status.st_mtime_ns)


def parse(text: str, issuer: str) -> dict[str, Person]:
    """Return the people of a file, YAML or JSON, by subject. Raises Spoilt."""
    try:
        content = _Content.model_validate(yaml.load(text, _Loader))  # noqa: S506 (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise Spoilt(f"{line}it is neither YAML nor JSON, or gives a key twice") from None
    except (yaml.YAMLError, RecursionError):
        raise Spoilt("it is neither YAML nor JSON") from None
    except ValidationError as error:
        raise Spoilt(_first_fault(error, text)) from None
    if content.issuer != issuer:
        raise Spoilt("its issuer is not the one of THROUGHLINE_ISSUER, with which it must agree to the last character")
    return content.people


def _first_fault(error: ValidationError, text: str) -> str:
    """Return the first fault, with the number of the entry in place of its subject, which may name a person."""
    fault = error.errors(include_input=False, include_url=False)[0]
    place, says = list(fault["loc"]), fault["msg"].removeprefix("Value error, ")
    if place[:1] == ["people"] and len(place) > 1:
        subjects = [str(each) for each in yaml.load(text, _Loader)["people"]]  # noqa: S506 (a SafeLoader)
        place[1] = f"entry {subjects.index(str(place[1])) + 1}"
    known = {*_Content.model_fields, *Person.model_fields}
    named = [str(each) for each in place if each in known or re.fullmatch("entry [0-9]+", str(each))]
    return f"{', '.join(named)}: {says}" if named else says


def _reason(file: Path | None, fault: OSError | ValueError) -> str:
    if file is not None and isinstance(fault, (OSError, UnicodeDecodeError)):
        return why_unreadable(file, fault)
    return f"{file}: {fault}"

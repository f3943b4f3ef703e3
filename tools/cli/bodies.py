"""The body of a command from options of the command line, a JSON file, and questions about a person."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import typer

from shared.domain.spelling import normal, normalised
from tools.cli.options import chosen
from tools.client.api import Command, Field
from tools.client.errors import BadInput, say
from tools.client.printable import printable, quoted

Body = dict[str, Any]
STANDARD_INPUT = "-"


@dataclass(frozen=True)
class BodyOption:
    """An option of the command line, and the place of its value in the body."""

    place: tuple[str, ...]
    field: Field

    @property
    def flag(self) -> str:
        """The option as it is typed."""
        return "--" + ".".join(self.place).replace("_", "-")

    @property
    def argument(self) -> str:
        """The name of the Python argument that takes its value."""
        return "field_" + "__".join(self.place)

    def read(self, given: Any) -> Any:
        """Return the value that was typed, a list for a list. Raises BadInput."""
        if self.field.item is not None:
            return [read_value(self.flag, self.field.item, each) for each in given]
        return read_value(self.flag, self.field, given)


def options_of(command: Command) -> list[BodyOption]:
    """Return the options of a command, those it requires first: one for each value, none for what is personal."""
    return sorted(_options((), command.fields), key=lambda option: not option.field.required)


def _options(place: tuple[str, ...], fields: Sequence[Field]) -> Iterator[BodyOption]:
    for field in fields:
        if field.personal:
            continue
        if field.fields:
            yield from _options((*place, field.name), field.fields)
        else:
            yield BodyOption((*place, field.name), field)


def read_value(option: str, field: Field, given: Any) -> Any:
    """Return a value of the field's type, in form NFC. Raises BadInput for a word or a form that it does not take."""
    if field.type == "object":
        return _object(option, given)
    if not isinstance(given, str):
        return given
    try:
        text = normal(given)
        text.encode()
    except UnicodeEncodeError:
        raise BadInput(f"{option} {printable(given)}: holds bytes that are no UTF-8 text.") from None
    if field.words:
        return chosen(option, text, field.words)
    if field.form and field.pattern and re.fullmatch(field.pattern, text) is None:
        raise BadInput(f"{option} {quoted(text)}: is not of the form: {field.form}.")
    return text


def read_file(file: str | None) -> Body:
    """Return the fields that a JSON file gives; `-` is standard input. Raises BadInput."""
    if file is None:
        return {}
    name = "standard input" if file == STANDARD_INPUT else file
    try:
        raw = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
    except (OSError, ValueError) as fault:
        raise BadInput(f"--json {printable(name)}: {type(fault).__name__}: name a file that can be read.") from None
    return _object(f"--json {printable(name)}", raw, shown=False)


def _object(option: str, text: str | bytes, *, shown: bool = True) -> Body:
    about = f"{option} {quoted(text)}" if shown else option
    try:
        value = orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError) as fault:
        raise BadInput(f"{about}: is not JSON: {fault}.") from None
    if not isinstance(value, dict):
        raise BadInput(f'{about}: is not a JSON object, as in {{"reason": "..."}}.')
    return normalised(value)  # type: ignore[no-any-return]


def body_of(options: Sequence[BodyOption], given: Mapping[str, Any], base: Body) -> Body:
    """Return the fields of a file and those that were typed. Raises BadInput for a field that both give."""
    body = dict(base)
    for option in options:
        value = given.get(option.argument)
        if value is None or value == []:
            continue
        if option.place[0] in base:
            raise BadInput(f"{option.flag}: --json gives {option.place[0]} too; give it in one of them.")
        inner = body
        for name in option.place[:-1]:
            inner = inner.setdefault(name, {})
        inner[option.place[-1]] = option.read(value)
    return body


def with_personal(command: Command, body: Body, *, from_input: bool) -> Body:
    """Return the body with the details of a person, asked for where nothing gives them. Raises BadInput."""
    for field in command.fields:
        if field.personal and field.required and field.name not in body:
            if from_input:
                raise BadInput(f"{field.name}: must be given in the file of --json; {_shape(field)}.")
            body = body | {field.name: _answers(field)}
    return body


def check_missing(command: Command, body: Body) -> None:
    """Hold a body to what the command requires, apart from what is personal. Raises BadInput, which names it all."""
    if missing := list(_missing((), command.fields, body)):
        raise BadInput("; ".join(missing) + ".")


def _missing(place: tuple[str, ...], fields: Sequence[Field], body: Any) -> Iterator[str]:
    for field in fields:
        here = (*place, field.name)
        inner = body.get(field.name) if isinstance(body, dict) else None
        if field.personal:
            continue
        if field.fields and (field.required or inner is not None) and not (inner and field.exclusive):
            yield from _missing(here, field.fields, inner or {})
            if field.exclusive:
                yield f"{BodyOption(here, field).flag}: give one of {', '.join(each.name for each in field.fields)}"
        elif field.required and inner is None:
            yield f"{BodyOption(here, field).flag}: must be given{_explained(field)}"


def _explained(field: Field) -> str:
    says = ", ".join(field.words) if field.words else field.form or field.description
    return f" ({says})" if says else ""


def _shape(field: Field) -> str:
    described = ", ".join(f'"{each.name}"' + ("" if each.required else " (or none)") for each in field.fields)
    return f"it is an object of {described}"


def _answers(field: Field) -> Body:
    """Ask for the details of a person, so that they do not lie in the history of the shell. Raises BadInput."""
    say(f"{field.description or field.name} An empty answer leaves out what need not be given.")
    try:
        answers = {each.name: _answer(each) for each in field.fields}
    except typer.Abort:
        raise BadInput(
            f"{field.name}: nobody answered; give it in a file (--json FILE, or - for standard input): {_shape(field)}."
        ) from None
    return {name: answer for name, answer in answers.items() if answer}


def _answer(field: Field) -> str:
    default = None if field.required else ""
    answer: str = typer.prompt(field.name.capitalize(), default=default, show_default=False, err=True)
    return str(read_value(field.name, field, answer))

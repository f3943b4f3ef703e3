"""Forms made from the table of commands: what a person types becomes the body that the service takes, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tools.client import api
from tools.console.forms.fields import Field, fields_of
from tools.console.forms.values import ROWS, body_of, rows_of, typed_from

COMMANDS = api.commands()


def sample(field: Field, number: int = 1) -> Any:
    """Return a value that a person could give to a field."""
    match field.kind:
        case "group":
            return {child.own: sample(child) for child in field.children}
        case "rows":
            assert field.of.item is not None
            return [{child.own: sample(child, each) for child in fields_of(field.of.item.fields)} for each in (1, 2)]
        case "choice":
            return field.words[-1]
        case "checks":
            return list(field.words[:2])
        case "flag":
            return True
        case "number":
            return number
        case "lines":
            return ["first line", "second, with comma"]
        case "date":
            return "2026-11"
        case "time":
            return "2026-11-28T10:00:00+07:00"
        case _:
            return f"Synthetic {field.own} {number}"


def bodies(fields: Sequence[Field]) -> dict[str, Any]:
    return {field.own: sample(field) for field in fields if field.kind != "open"}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: f"{each.noun} {each.word}")
def test_what_is_typed_is_the_body_and_the_body_is_what_is_typed(command: api.Command) -> None:
    fields = fields_of(command.fields)
    assert {field.own for field in fields} == {field.name for field in command.fields}
    body = bodies(fields)
    assert body_of(fields, typed_from(fields, body)) == body
    assert body_of(fields, {}) == {}


def field_of(noun: str, word: str, name: str) -> Field:
    return next(field for field in fields_of(api.command(noun, word).fields) if field.name == name)


@pytest.mark.parametrize(
    ("text", "value"), [("7", 7), (" 7 ", 7), ("seven", "seven"), ("7.5", "7.5"), ("٧", "٧"), ("9" * 30, "9" * 30)]
)
def test_a_text_that_is_no_number_goes_to_the_service_which_refuses_it(text: str, value: Any) -> None:
    session = field_of("session", "record", "session")
    assert body_of([session], {"session": [text]}) == {"session": value}


def test_rows_are_read_up_to_the_last_typed_one_and_blank_ones_are_left_out() -> None:
    renditions = field_of("meeting", "disseminate-document", "renditions")
    typed = {"renditions.0.language": ["en"], "renditions.1.language": [""], "renditions.2.language": ["fr"]}
    assert body_of([renditions], typed) == {"renditions": [{"language": "en"}, {"language": "fr"}]}


def test_a_hostile_number_of_a_row_costs_nothing() -> None:
    renditions = field_of("meeting", "disseminate-document", "renditions")
    for number in ("99999999999", "-1", "x", "²", ""):
        assert rows_of(renditions, {f"renditions.{number}.language": ["en"]}) <= ROWS


def test_what_must_be_given_comes_first() -> None:
    for command in COMMANDS:
        required = [field.of.required for field in fields_of(command.fields)]
        assert required == sorted(required, reverse=True)

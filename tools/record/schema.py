"""The check of a record against its schema, with pydantic's errors in the wording of the record format."""

from __future__ import annotations

import difflib
import re
from typing import Any

from pydantic import BaseModel, StringConstraints, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from shared.domain.spelling import suggestion
from shared.events import values
from tools.record.faults import Fault, Place, Places
from tools.record.format import Record

_RULES = {
    "extra_forbidden": "UnknownField",
    "missing": "FieldMissing",
    "string_too_long": "TextTooLong",
    "string_too_short": "TextEmpty",
    "string_pattern_mismatch": "WrongForm",
    "string_unicode": "BrokenCharacter",
    "literal_error": "UnknownWord",
    "greater_than_equal": "NumberOutOfRange",
    "less_than_equal": "NumberOutOfRange",
}
_VALUE_RULES = {
    "is not a date": "NotADate",
    "is neither a date": "NotATime",
    "is not a time": "NotATime",
    "is not a whole number": "NotAWholeNumber",
    "holds a control character": "ControlCharacter",
    "is blank": "TextEmpty",
    "names exactly one": "ExactlyOneOf",
    "names either": "ExactlyOneOf",
}
_SENTENCES = {
    "FieldMissing": "must be given",
    "BrokenCharacter": "holds half a character (a lone surrogate): write it again",
    "TextEmpty": "is empty: leave the field out instead",
}
_QUOTED = re.compile("'([^']*)'")
_TOO_LONG = "; shorten it, or disseminate the text as a document and name its digest"


def _forms() -> dict[str, str]:
    """Return the patterns of the published language, each with its form in words."""
    forms: dict[str, str] = {}
    for kind in vars(values).values():
        metadata = getattr(kind, "__metadata__", ())
        patterns = [each.pattern for each in metadata if isinstance(each, StringConstraints)]
        descriptions = [_in_words(each) for each in metadata if isinstance(each, FieldInfo)]
        forms |= dict(zip(map(str, patterns), descriptions, strict=False))
    return forms


def _in_words(field: FieldInfo) -> str:
    return ", as in ".join(map(str, [field.description, *(field.examples or ())[:1]]))


_FORMS = _forms()


def check_schema(places: Places) -> tuple[Record | None, list[Fault]]:
    """Return the record, or a fault for every field that breaks the format."""
    try:
        return Record.model_validate(places.tree), []
    except ValidationError as error:
        errors = error.errors(include_url=False)
        return None, [places.fault(item["loc"], *_rule_and_sentence(item)) for item in errors]


def _rule_and_sentence(item: ErrorDetails) -> tuple[str, str]:
    kind, message = item["type"], item["msg"]
    if kind == "value_error":
        says = message.removeprefix("Value error, ")
        rule = next((rule for start, rule in _VALUE_RULES.items() if says.startswith(start)), "ValueRefused")
    else:
        rule, says = _RULES.get(kind, "WrongKind"), message[:1].lower() + message[1:]
    if rule == "WrongForm":
        return rule, f"is not {_FORMS.get(item['ctx']['pattern'], 'of the form that this field has')}"
    if rule == "UnknownWord":
        return rule, _no_such_word(item["input"], _QUOTED.findall(item["ctx"]["expected"]))
    if rule == "UnknownField":
        return rule, f"is not a field of the format here{_suggestion(item['loc'])}"
    return rule, _SENTENCES.get(rule, says) + (_TOO_LONG if rule == "TextTooLong" else "")


def _no_such_word(word: Any, known: list[str]) -> str:
    near = suggestion(word, known) if isinstance(word, str) else None
    return f"is none of {', '.join(known)}{f'; {near}' if near else ''}"


def _suggestion(loc: Place) -> str:
    fields = _fields_at(loc[:-1])
    if close := difflib.get_close_matches(str(loc[-1]), fields, 1):
        return f"; did you mean {close[0]}?"
    return f"; the fields are {', '.join(fields)}" if fields else ""


def _fields_at(loc: Place) -> list[str]:
    model: type[BaseModel] = Record
    for part in loc:
        if isinstance(part, str):
            fields = {field.alias or name: field for name, field in model.model_fields.items()}
            inner = _model_in(fields[part].annotation) if part in fields else None
            if inner is None:
                return []
            model = inner
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in getattr(annotation, "__args__", ()) if (model := _model_in(part))), None)

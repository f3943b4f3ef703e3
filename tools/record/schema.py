"""The check of a record against its schema, with pydantic's errors in the wording of the record format."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.events.wording import question, sentence_of
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
_TOO_LONG = "; shorten it, or disseminate the text as a document and name its digest"


def check_schema(places: Places) -> tuple[Record | None, list[Fault]]:
    """Return the record, or a fault for every field that breaks the format."""
    try:
        return Record.model_validate(places.tree), []
    except ValidationError as error:
        errors = error.errors(include_url=False)
        return None, [places.fault(item["loc"], *_rule_and_sentence(item)) for item in errors]


def _rule_and_sentence(item: ErrorDetails) -> tuple[str, str]:
    kind, says = item["type"], sentence_of(item)
    if kind == "value_error":
        rule = next((rule for start, rule in _VALUE_RULES.items() if says.startswith(start)), "ValueRefused")
    else:
        rule, says = _RULES.get(kind, "WrongKind"), says[:1].lower() + says[1:]
    if rule == "UnknownField":
        return rule, f"is not a field of the format here{_suggestion(item['loc'])}"
    return rule, _SENTENCES.get(rule, says) + (_TOO_LONG if rule == "TextTooLong" else "")


def _suggestion(loc: Place) -> str:
    fields = _fields_at(loc[:-1])
    listed = f"; the fields are {', '.join(fields)}" if fields else ""
    return question(str(loc[-1]), fields) or listed


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

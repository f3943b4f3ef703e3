"""Validation errors in words: no regular expression, no prefix of a library; the nearest known word."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

_FORMS: dict[str, str] = {}
_QUOTED = re.compile("'([^']*)'")
_SHOWN = 100
_WORDS_SHOWN = 40


def form(pattern: str, words: str) -> str:
    """Return a pattern, for which an error says `words`."""
    _FORMS[pattern] = words
    return pattern


def sentence_of(error: Mapping[str, Any]) -> str:
    """Return pydantic's message of an error as a sentence whose subject is the field."""
    match error["type"]:
        case "value_error":
            return str(error["msg"]).removeprefix("Value error, ")
        case "string_pattern_mismatch":
            return f"is not of the form: {_FORMS.get(error['ctx']['pattern'], 'see the description of the field')}"
        case "literal_error" | "enum":
            return _no_such_word(error)
        case "missing":
            return "must be given"
        case _:
            return str(error["msg"])


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a question that names the nearest of the known words; nothing where none is near."""
    folded = {each.casefold().replace("-", "_"): each for each in known}
    close = difflib.get_close_matches(word.casefold().replace("-", "_"), folded, 1)
    return f"; did you mean {folded[close[0]]}?" if close else ""


def _no_such_word(error: Mapping[str, Any]) -> str:
    known = _QUOTED.findall(error["ctx"]["expected"])
    word = error.get("input")
    given = repr(word) if isinstance(word, str) and len(word) <= _SHOWN and word.isprintable() else "this"
    hint = nearest(word, known) if isinstance(word, str) else ""
    listed = ", ".join(known) if len(known) <= _WORDS_SHOWN else f"the {len(known)} known words"
    return f"{given} is none of {listed}{hint}"

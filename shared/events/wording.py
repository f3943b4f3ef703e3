"""Validation errors in words: no regular expression, no prefix of a library; the nearest known word."""

from __future__ import annotations

import difflib
import re
import unicodedata
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


def words_of_form(pattern: str) -> str | None:
    """Return what an error says for a pattern; None where `form` was not told."""
    return _FORMS.get(pattern)


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


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that comes nearest to another, whatever its case and form; None where none is near."""
    by_looks = {_looks(each): each for each in known}
    close = difflib.get_close_matches(_looks(word), by_looks, 1)
    return by_looks[close[0]] if close else None


def question(word: str, known: Iterable[str]) -> str:
    """Return the question whether the nearest known word was meant, to end a sentence; nothing where none is near."""
    other = nearest(word, known)
    return "" if other is None else f"; did you mean {other}?"


def _no_such_word(error: Mapping[str, Any]) -> str:
    known = _QUOTED.findall(error["ctx"]["expected"])
    word = error.get("input")
    given = repr(word) if isinstance(word, str) and len(word) <= _SHOWN and word.isprintable() else "this"
    hint = question(word, known) if isinstance(word, str) else ""
    listed = ", ".join(known) if len(known) <= _WORDS_SHOWN else f"the {len(known)} known words"
    return f"{given} is none of {listed}{hint}"


def _looks(word: str) -> str:
    return unicodedata.normalize("NFC", word).casefold().replace("-", "_")

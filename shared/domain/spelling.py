"""Spelling of texts: one form for texts that look the same, and the word that was meant."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from typing import Any


def normal(text: str) -> str:
    """Return a text in Unicode's form NFC: `é` is one character, however it was typed."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def normalised(value: Any) -> Any:
    """Return a JSON value with every text of it in form NFC; the names of members stay."""
    match value:
        case str():
            return normal(value)
        case list():
            return [normalised(item) for item in value]
        case dict():
            return {name: normalised(member) for name, member in value.items()}
        case _:
            return value


def suggestion(word: str, known: Collection[str]) -> str | None:
    """Return the question whether another word was meant; it names a difference that the eye may miss."""
    from shared.events.wording import nearest  # not needed at the start of a command

    if (other := nearest(word, known)) is None:
        return None
    at = next((n for n, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other)))
    here, there = word[at : at + 1], other[at : at + 1]
    differs = "" if (here + there).isascii() else f" (character {at + 1} is {_name(here)}, not {_name(there)})"
    return f"did you mean {other!r}{differs}?"


def _name(character: str) -> str:
    return unicodedata.name(character, f"U+{ord(character):04X}") if character else "absent"

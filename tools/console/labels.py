"""Labels of the record's words: fields, values of lists, nouns and words of commands, types of events."""

from __future__ import annotations

import re
from functools import lru_cache

from tools.console.languages import _

_ACRONYMS = {"utc": "UTC", "id": "ID", "url": "URL"}
_NAMES = {
    "on": "Date", "due": "Due by", "by": "By which", "into": "Into which", "report_symbol": "Symbol of the report",
    "document_symbol": "Symbol of the document", "text_version": "Version of the text", "digest": "Digest (SHA-256)",
    "adopted_on": "Adopted on", "clerical": "Puts a slip right", "superseded_by": "Superseded by",
}  # fmt: skip
_CAPITAL = re.compile("(?<=[a-z])(?=[A-Z])")


def label(word: str) -> str:
    """Return the label of a word of the record in the reader's language: `note_verbale` is `Note verbale`."""
    return _(english(word))


def event_label(kind: str) -> str:
    """Return the label of an event's type: `throughline.meetings.MeetingHeld.v1` is `Meeting held`."""
    return _(english_event(kind))


def english_event(kind: str) -> str:
    """Return the English label of an event's or a command's type."""
    name = kind.split(".")[-2] if kind.count(".") > 1 else kind
    return english(name[:1].lower() + name[1:])


@lru_cache(maxsize=4_000)
def english(word: str) -> str:
    """Return the English label of a word."""
    if word in _NAMES:
        return _NAMES[word]
    if _CAPITAL.search(word):
        return english(_CAPITAL.sub("_", word).lower())
    parts = [_ACRONYMS.get(part, part) for part in word.replace("-", "_").split("_")]
    text = " ".join(parts)
    return text[:1].upper() + text[1:]

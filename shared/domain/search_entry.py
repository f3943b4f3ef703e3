"""An entry that a search finds: its kind, title, names and texts, and how they become words."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = (
    "recommendation", "instrument", "provision", "priority", "session", "body_session", "initiative", "deliverable",
    "meeting", "nomination", "membership", "call",
)  # fmt: skip
"""The kinds of entry, of all services: each finds those that it has."""


@dataclass(frozen=True)
class SearchEntry:
    """A record that a search may return, or a part of one, by its `key` within the record; a part has no names.

    `names` are its id, symbol and citation, which match exactly or by their beginning; `texts` are searched for words
    and quoted. Words of the title of a record weigh more than others.
    """

    kind: str
    title: str
    names: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    key: str = ""

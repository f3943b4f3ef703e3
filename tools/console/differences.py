"""The difference between two texts by words, as a page shows it: what was left out, what was added."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

_WORDS = re.compile(r"\s*\w+|\s*[^\w\s]|\s+")
MOST_WORDS = 12_000
"""The longest pair of texts that is compared word by word."""
_EXACT = 1_500
"""The longest pair of texts whose frequent words count: with them the time grows by the square."""


@dataclass(frozen=True)
class Piece:
    """A piece of a text: the same in both, added, or left out."""

    kind: Literal["same", "added", "left_out"]
    text: str


@dataclass(frozen=True)
class TextVersion:
    """A version of the text of a recommendation; `title` and `text` in pieces, against the version before."""

    number: int
    on: str | None
    is_clerical: bool
    title: tuple[Piece, ...]
    text: tuple[Piece, ...]

    @property
    def is_changed(self) -> bool:
        """True where it differs from the version before."""
        return any(piece.kind != "same" for piece in (*self.title, *self.text))


def differences(was: str, now: str) -> tuple[Piece, ...]:
    """Return the pieces of two texts in order; texts too long to compare are shown one after the other."""
    before, after = _WORDS.findall(was), _WORDS.findall(now)
    if before == after:
        return (Piece("same", now),) if now else ()
    if len(before) + len(after) > MOST_WORDS:
        return tuple(_given(was, now))
    pieces: list[Piece] = []
    matcher = SequenceMatcher(None, before, after, autojunk=len(before) + len(after) > _EXACT)
    for word, start, end, other_start, other_end in matcher.get_opcodes():
        same, old, new = word == "equal", "".join(before[start:end]), "".join(after[other_start:other_end])
        pieces += [Piece("same", new)] if same else list(_given(old, new))
    return tuple(pieces)


def versions_of(state: Mapping[str, Any]) -> list[TextVersion]:
    """Return the versions of title and text that a recommendation's state has, the first as a whole."""
    drafted = state.get("drafted")
    if not drafted:
        return []
    title, text = drafted["data"]["title"], drafted["data"].get("text", "")
    versions = [_version(drafted, "", "", title, text, is_first=True)]
    for revised in state.get("revised", ()):
        data = revised["data"]
        if "title" in data or "text" in data:
            new_title, new_text = data.get("title", title), data.get("text", text)
            versions.append(_version(revised, title, text, new_title, new_text))
            title, text = new_title, new_text
    return versions


def _version(
    fact: Mapping[str, Any], title: str, text: str, new_title: str, new_text: str, *, is_first: bool = False
) -> TextVersion:
    data = fact["data"]
    was = (new_title, new_text) if is_first else (title, text)
    return TextVersion(
        fact["versions"][0], data.get("on"), bool(data.get("clerical")), differences(was[0], new_title),
        differences(was[1], new_text),
    )  # fmt: skip


def _given(old: str, new: str) -> Iterator[Piece]:
    if old:
        yield Piece("left_out", old)
    if new:
        yield Piece("added", new)

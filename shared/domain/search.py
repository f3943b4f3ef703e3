"""Search in what is on record: what of it is searched, what is looked for, and how well the one fits the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from typing import Any, NamedTuple

from shared.domain.aggregate import Aggregate
from shared.domain.search_entry import SearchEntry
from shared.domain.search_words import Word, whole, words_in, words_of
from shared.domain.spelling import normal
from shared.domain.voids import Void

SHAPE = 1
"""Raised with the form of terms and lines: then the states of older code are folded again."""
LINES_LIMIT = 1_000_000
"""The most characters of all lines of a state: an entry beyond is searched by its names alone."""
STEM = 4
"""The characters at the beginning of a word by which states are looked up: fewer terms than words."""
SHORTEST = 2
QUOTED = 200
_BEFORE = 60
NAME, TITLE = "=", "^"
"""The mark that begins the terms of names and of words in titles; no word holds it."""
NAME_IS, NAME_BEGINS, IN_TITLE, IN_TEXT = range(4)
RANKS = (NAME_IS, NAME_BEGINS, IN_TITLE, IN_TEXT)
_FIELDS, _NAMES = "\t", "\x1f"


class Terms(NamedTuple):
    """The terms that a state must have to hold a match: all of `terms`; or one that begins with `beginning`."""

    terms: tuple[str, ...] = ()
    beginning: str = ""


class Extract(NamedTuple):
    """A part of a text, with the places of the matching words in it, in characters."""

    text: str
    marks: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class SearchQuery:
    """The words of a search: all words, the last one by its beginning; or a name."""

    name: str
    words: frozenset[str]
    beginnings: frozenset[str]

    @property
    def is_too_short(self) -> bool:
        """True where it holds no word of two characters, nor one of a script without blanks."""
        words = self.words | self.beginnings
        return not any(len(word) >= SHORTEST or not word.isascii() for word in words)

    def terms(self, rank: int) -> Terms:
        """Return the terms of the states that may hold a match of a rank."""
        if rank == NAME_IS:
            return Terms((NAME + self.name,))
        if rank == NAME_BEGINS:
            return Terms(beginning=NAME + self.name)
        mark = TITLE if rank == IN_TITLE else ""
        stems = {word[:STEM] for word in self.words} | {each[:STEM] for each in self.beginnings if len(each) >= STEM}
        if stems:
            return Terms(tuple(mark + stem for stem in sorted(stems)))
        return Terms(beginning=mark + max(self.beginnings, key=lambda each: (len(each), each)))

    def rank(self, line: str) -> int | None:
        """Return the rank of an entry by its line: the lower, the better; None where it is no match."""
        _, names, title, words = line.split(_FIELDS)
        if self.name in names.split(_NAMES):
            return NAME_IS
        if names.startswith(self.name) or f"{_NAMES}{self.name}" in names:
            return NAME_BEGINS
        return IN_TITLE if self._all_in(title) else IN_TEXT if self._all_in(words) else None

    def may_match(self, line: str) -> bool:
        """Tell whether a line, or one of several, may match: false is certain, and found out quickly."""
        return self._all_in(line) or self.name in line

    @cached_property
    def _parts(self) -> list[str]:
        """The parts of a line that a match has, the longest first, since it is the rarest."""
        parts = {f" {word} " for word in self.words} | {f" {beginning}" for beginning in self.beginnings}
        return sorted(parts, key=lambda part: (-len(part), part))

    def _all_in(self, words: str) -> bool:
        for part in self._parts:  # noqa: SIM110 - twice as fast as all(), and run for each entry
            if part not in words:
                return False
        return True

    def marks(self, text: str) -> list[tuple[int, int]]:
        """Return the places of matching words in a text of form NFC, joined where they meet."""
        places: list[tuple[int, int]] = []
        for word in words_in(text):
            if not self._matches(word):
                continue
            if places and word.start <= places[-1][1]:
                places[-1] = places[-1][0], max(word.end, places[-1][1])
            else:
                places.append((word.start, word.end))
        return places

    def extract(self, texts: Sequence[str]) -> Extract:
        """Return a part of the first text that has a matching word, around it; else the beginning of the first."""
        lines = [" ".join(normal(text).split()) for text in texts if text]
        marked = ((line, places) for line in lines if (places := self.marks(line)))
        return _around(*next(marked, (lines[0] if lines else "", [])))

    def _matches(self, word: Word) -> bool:
        if word.word in self.words:
            return True
        return any(word.word.startswith(each) for each in self.beginnings)


def query_of(text: str) -> SearchQuery:
    """Return what a text looks for. Nothing in it is an operator."""
    words = list(words_in(normal(text)))
    ends = {index for index, each in enumerate(words) if each.paired is False and not _is_second(words, index)}
    plain = [each for each in words if each.paired is not False]
    last = {plain[-1].word} if plain and plain[-1] is words[-1] else set()
    beginnings = frozenset({words[index].word for index in ends} | last)
    return SearchQuery(whole(text), frozenset(each.word for each in plain) - beginnings, beginnings)


def _is_second(words: Sequence[Word], index: int) -> bool:
    """Tell whether a character at the end of a run is the second one of the pair before it."""
    before = words[index - 1] if index else None
    return before is not None and before.paired is True and before.end == words[index].end


def _around(text: str, places: list[tuple[int, int]]) -> Extract:
    start = max(0, places[0][0] - _BEFORE) if places else 0
    if start:
        start = min(text.find(" ", start) + 1 or start, places[0][0])
    end = min(len(text), start + QUOTED)
    if end < len(text) and (blank := text.rfind(" ", start + QUOTED // 2, end)) > 0:
        end = blank
    before, after = "…" if start else "", "…" if end < len(text) else ""
    shift = len(before) - start
    marks = tuple((a + shift, min(b, end) + shift) for a, b in places if a < end)
    return Extract(f"{before}{text[start:end]}{after}", marks)


def entries_of(aggregate: Aggregate[Any], stream: str, state: Any) -> Sequence[SearchEntry]:
    """Return what of a stream's state is searched; of a void record its id alone."""
    if aggregate.searched is None:
        return ()
    if isinstance(state, Void):
        kind, _, key = stream.partition("/")
        return (SearchEntry(kind, title=key, names=(key,)),)
    return tuple(aggregate.searched(state))


def lines_of(entries: Iterable[SearchEntry]) -> list[str]:
    """Return a line for each entry: its kind, names, words of its title, and all words, as they are compared."""
    lines, room = [], LINES_LIMIT
    for entry in entries:
        line = _line(entry)
        room -= len(line)
        lines.append(line if room >= 0 else _FIELDS.join((entry.kind, _names(entry), "", "")))
    return lines


@lru_cache(maxsize=1_024)
def _line(entry: SearchEntry) -> str:
    title = dict.fromkeys(words_of(entry.title))
    words = title | dict.fromkeys(words_of("\n".join((*entry.names, *entry.texts))))
    return _FIELDS.join((entry.kind, _names(entry), "" if entry.key else _joined(title), _joined(words)))


def terms_of(lines: Iterable[str]) -> list[str]:
    """Return the terms by which the state of these lines is looked up."""
    return sorted(set(chain.from_iterable(map(_terms, lines))))


@lru_cache(maxsize=1_024)
def _terms(line: str) -> frozenset[str]:
    _, names, title, words = line.split(_FIELDS)
    own = {NAME + name for name in names.split(_NAMES) if name}
    return frozenset(own | {TITLE + word[:STEM] for word in title.split()} | {word[:STEM] for word in words.split()})


def _names(entry: SearchEntry) -> str:
    return _NAMES.join(map(whole, entry.names))


def _joined(words: Iterable[str]) -> str:
    return f" {' '.join(words)} "


def kind_of(line: str) -> str:
    """Return the kind of an entry by its line."""
    return line.partition(_FIELDS)[0]

"""Words of a text as search compares them: without case and accents; scripts without blanks as pairs of characters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby, pairwise
from typing import NamedTuple
from unicodedata import category, normalize

from shared.domain.spelling import normal

_IN_ASCII = {ord(each): " " for each in map(chr, range(128)) if not each.isalnum()}
LONGEST = 60
"""The most characters of a word that are compared."""
_RUN = re.compile(r"[^ ]+")
_ACCENTS = re.compile("[\u0300-\u036f\u064b-\u065f\u0670\ufe00-\ufe0f]")
_WITHOUT_BLANKS = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u3005-\u3007\u3040-\u30ff"
    "\u3100-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua9e0-\ua9ff\uaa60-\uaa7f\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff]"
)
"""Thai, Lao, Tibetan, Burmese, Khmer, Tai, Han, kana and bopomofo: their words follow each other without a blank."""


class Word(NamedTuple):
    """A word and its place in a text, in characters; or a pair of characters of a script without blanks.

    `paired` is true of such a pair, false of a character at the end of a run, and None of a word.
    """

    word: str
    start: int
    end: int
    paired: bool | None = None


def words_in(text: str) -> Iterator[Word]:
    """Yield the words of a text in form NFC, in their order: runs of characters, digits and marks."""
    for run in _RUN.finditer(_with_blanks(text)):
        if run[0].isascii():
            yield Word(run[0].lower()[:LONGEST], run.start(), run.end())
        else:
            yield from _folded_words(text, run.start(), run.end())


def words_of(text: str) -> list[str]:
    """Return the words of a text, whatever its form, in their order."""
    if text.isascii():
        return [word[:LONGEST] for word in text.lower().translate(_IN_ASCII).split()]
    return [word.word for word in words_in(normal(text))]


def whole(text: str) -> str:
    """Return a text as names are compared: without case and accents, with one blank between its parts."""
    folded = text.lower() if text.isascii() else "".join(map(_folded, normal(text)))
    return " ".join(folded.split())


def _with_blanks(text: str) -> str:
    """Return a text of the same length, with a blank for each character that is of no word."""
    others = {character for character in set(text) if not _is_of_a_word(character)}
    return text.translate(dict.fromkeys(map(ord, others), " ")) if others else text


def _folded_words(text: str, start: int, end: int) -> Iterator[Word]:
    characters = [(each, at) for at in range(start, end) for each in _folded(text[at])]
    for kind, group in groupby(characters, key=lambda each: _kind(each[0])):
        if kind == "spaced":
            run = list(group)
            yield Word("".join(each for each, _ in run)[:LONGEST], run[0][1], run[-1][1] + 1)
        elif kind == "unspaced":
            yield from _pairs(list(group))


def _pairs(characters: list[tuple[str, int]]) -> Iterator[Word]:
    """Yield each character with its marks and the next one, then the last by itself."""
    clusters: list[tuple[str, int, int]] = []
    for each, at in characters:
        if clusters and category(each)[0] == "M":
            cluster, start, _ = clusters[-1]
            clusters[-1] = (cluster + each, start, at + 1)
        else:
            clusters.append((each, at, at + 1))
    for (one, start, _), (other, _, end) in pairwise(clusters):
        yield Word((one + other)[:LONGEST], start, end, paired=True)
    last, start, end = clusters[-1]
    yield Word(last[:LONGEST], start, end, paired=False)


@lru_cache(maxsize=4_096)
def _folded(character: str) -> str:
    """Return a character without case and accents; nothing for one that does not show, such as a joiner."""
    if category(character) == "Cf" and character != "\u200b":
        return ""
    return _ACCENTS.sub("", normalize("NFKD", normalize("NFKD", character).casefold()))


@lru_cache(maxsize=4_096)
def _is_of_a_word(character: str) -> bool:
    return category(character)[0] in "LNM" or (category(character) == "Cf" and character != "\u200b")


@lru_cache(maxsize=4_096)
def _kind(character: str) -> str:
    if not _is_of_a_word(character):
        return "none"
    return "unspaced" if _WITHOUT_BLANKS.match(character) else "spaced"

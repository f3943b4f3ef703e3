"""A language of the tests, whose every message stands in brackets, and the texts of a page that stand in none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree.ElementTree import Element

import pytest
from babel.support import NullTranslations

from tools.console import languages

CODE = "qps"
_BRACKETED = re.compile("⟦[^⟦⟧]*⟧")
_DATA = {"script", "style", "code", "pre", "time", "bdi", "ins", "del", "mark"}
"""Elements whose text is never a message."""
_SPOKEN = ("aria-label", "title", "placeholder", "alt")
_MONTH = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_ID = re.compile(r"\S*[\d/@.:_-]\S*")
"""An id, address, reference, number or time: one word that no language has."""


class Pseudo(NullTranslations):
    """Messages in brackets, and which were shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: set[str] = set()

    def gettext(self, message: str) -> str:
        """Return a message in brackets."""
        self.shown.add(message)
        return f"⟦{message}⟧"

    def ngettext(self, one: str, many: str, n: int) -> str:
        """Return a counted message in brackets."""
        self.shown.add(one)
        return f"⟦{one if n == 1 else many}⟧"

    ugettext, ungettext = gettext, ngettext


@contextmanager
def pseudo() -> Iterator[Pseudo]:
    """Let pages be in the language of the tests for a while, where a reader chose it."""
    real, own = languages.catalogue_of, Pseudo()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(languages.LANGUAGES, CODE, "⟦Pseudo⟧")
        patch.setattr(languages, "catalogue_of", lambda code: own if code == CODE else real(code))
        yield own


def untranslated(page: Element, data: frozenset[str] = frozenset()) -> list[str]:
    """Return the texts of a page that are neither a message, nor data, nor marked as another language's."""
    of_persons = {" ".join("".join(each.itertext()).split()) for each in page.iter() if each.get("dir") == "auto"}
    return [text for text in _texts(page) if _rest(text, data | (of_persons - {""}))]


def _rest(text: str, data: frozenset[str]) -> str:
    """Return the words of a text that stand in no brackets and are not data."""
    text = " ".join(text.split())
    while (left := _BRACKETED.sub(" ", text)) != text:
        text = left
    for known in sorted((each for each in data if each in text), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(known)}(?!\w)", " ", text)
    words = (word.strip("()[],;:·–—.…") for word in text.split())
    return " ".join(
        word for word in words if any(map(str.isalpha, word)) and not _ID.fullmatch(word) and word not in _MONTH
    )


def _texts(element: Element) -> Iterator[str]:
    """Yield each text that a reader sees or hears, those of data and of other languages left out."""
    tag = str(element.tag).rpartition("}")[2]
    classes = (element.get("class") or "").split()
    if (
        tag in _DATA
        or element.tag == "{http://www.w3.org/2000/svg}a"
        or element.get("dir")
        or (tag != "html" and element.get("lang"))
        or "tl-data" in classes
    ):
        return
    yield from (element.get(name) or "" for name in _SPOKEN)
    yield element.text or ""
    for child in element:
        if isinstance(child.tag, str):
            yield from _texts(child)
        yield child.tail or ""

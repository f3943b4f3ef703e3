"""Rich text of tools/render as HTML: escaped, its styles as classes, what people wrote in other directions isolated."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from markupsafe import Markup, escape
from rich.text import Text

_CLASSES = {
    "yellow": "tl-doubt",
    "magenta": "tl-doubt",
    "bold red": "tl-suspect",
    "green": "tl-live",
    "dim": "tl-dim",
    "dim cyan": "tl-dim",
}
_ISOLATES = frozenset({"LRI", "RLI", "FSI"})
_OPENS, _CLOSES = "\u2066", "\u2069"
_TURNS = frozenset({"R", "AL", "AN", "RLE", "RLO", "LRE", "LRO", "RLI", "LRI", "FSI", "PDF", "PDI"})


def markup(text: Text, written: Iterable[str] = ()) -> Markup:
    """Return a text as HTML; `written` are the texts of people in it, isolated where they change the direction."""
    turning = [each for each in written if turns(each)]
    cuts = sorted({0, len(text.plain), *(span.start for span in text.spans), *(span.end for span in text.spans)})
    whole = Markup().join(_segment(text, start, end, turning) for start, end in pairwise(cuts))
    return _styled(whole, [str(text.style)])


def without_marks(text: Text) -> str:
    """Return a text without its marks of certainty."""
    marks = [(span.start, span.end) for span in text.spans if str(span.style) in ("yellow", "magenta")]
    outside = (each for at, each in enumerate(text.plain) if not any(start <= at < end for start, end in marks))
    return "".join(outside)


def turns(text: str) -> bool:
    """Tell whether a text changes the direction of what stands beside it."""
    return not text.isascii() and any(unicodedata.bidirectional(each) in _TURNS for each in text)


def balanced(text: str) -> str:
    """Return a text with the isolates closed that it opens, and opened that it closes: else it leaves its element."""
    depth, missing = 0, 0
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in _ISOLATES:
            depth += 1
        elif kind == "PDI" and depth:
            depth -= 1
        elif kind == "PDI":
            missing += 1
    return _OPENS * missing + text + _CLOSES * depth


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text within nested objects and lists."""
    match value:
        case str():
            yield value
        case dict():
            for member in value.values():
                yield from texts_in(member)
        case list() | tuple():
            for item in value:
                yield from texts_in(item)
        case _:
            return


def _segment(text: Text, start: int, end: int, turning: list[str]) -> Markup:
    styles = [str(span.style) for span in text.spans if span.start <= start and end <= span.end]
    return _styled(_isolated(text.plain[start:end], turning), styles)


def _styled(content: Markup, styles: list[str]) -> Markup:
    classes = " ".join(dict.fromkeys(_CLASSES[style] for style in styles if style in _CLASSES))
    return Markup('<span class="{}">{}</span>').format(classes, content) if classes else content


def _isolated(text: str, turning: list[str]) -> Markup:
    """Put each of the texts that change the direction into an element of its own."""
    for each in turning:
        before, here, after = text.partition(each)
        if here:
            inner = Markup('<bdi class="tl-text" dir="auto">{}</bdi>').format(balanced(here))
            return _isolated(before, turning) + inner + _isolated(after, turning)
    return escape(text)

"""The section `texts`: the versions of title and text that count, and their differences in words."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from services.recommendations.domain.texts import Texts, TextVersion, latest
from services.recommendations.trace.provenance import ProvenanceTracker, certainty, known_fields

QUOTED = 300
"""The most characters of a difference that are quoted."""


def texts(counting: set[int], visible: Texts, tracker: ProvenanceTracker) -> list[dict[str, Any]] | None:
    """Return the text versions that were adopted, transmitted or clerical, and the latest; None where that is one.

    The latest one's title and text are those of `recommendation`.
    """
    last = latest(visible)
    shown = [text for text in visible.values() if text.number in counting or text.clerical or text is last]
    if len(shown) == 1:
        return None
    items = []
    for index, text in enumerate(shown):
        tracker.own_fact(f"texts/{index}", text.fact)
        on = text.fact.data.on
        items.append(
            known_fields(
                version=text.number,
                clerical=text.clerical or None,
                title=None if text is last else text.title,
                text=None if text is last else text.text,
                differences=differences(shown[index - 1], text) if index else None,
                on=on,
                dated=tracker.window.mark(on),
                **certainty(text.fact.data),
            )
        )
    return items


def differences(before: TextVersion, after: TextVersion) -> list[str]:
    """Return the differences between two text versions in words; none where they are the same."""
    pairs = (("title", before.title, after.title), ("text", before.text, after.text))
    return [_difference(name, was or "", now or "") for name, was, now in pairs if was != now]


def _difference(name: str, was: str, now: str) -> str:
    old, new = was.split(), now.split()
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    removed, added = _quoted(old[start : len(old) - end]), _quoted(new[start : len(new) - end])
    if removed and added:
        return f"In the {name}, {removed} became {added}."
    if removed or added:
        return f"In the {name}, {removed or added} was {'left out' if removed else 'added'}."
    return f"The {name} differs in white space."


def _common(one: list[str], other: list[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _quoted(words: list[str]) -> str:
    text = " ".join(words)
    return f"“{text[:QUOTED]}…”" if len(text) > QUOTED else f"“{text}”" if text else ""

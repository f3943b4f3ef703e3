"""A diff of one trace between two recording times, in the wording of the rendered trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tools.render import trace_sections as sections
from tools.render.page import Entry, words

Trace = dict[str, Any]
Lines = dict[str, list[str]]
_SECTIONS: tuple[tuple[str, str, Callable[[Trace], Entry], tuple[str, ...]], ...] = (
    ("texts", "Text", sections.text, ("version",)),
    ("mandates", "Mandate", sections.mandate, ("instrument", "provision")),
    ("initiatives", "Initiative", sections.initiative, ("initiative",)),
    ("work", "Work", sections.step, ("role", "meeting", "document")),
    ("proceedings", "Agenda and outcomes", sections.proceedings, ("meeting",)),
    ("transmission", "Transmission", sections.transmission, ("session",)),
    ("dispositions", "Disposition", sections.disposition, ("session",)),
    ("follow_up", "Follow-up", sections.follow_up, ("on", "responsible", "evidence")),
)
_FIELDS = ("title", "standing", "text", "kinds", "addressees", "themes", "status")


def describe_changes(before: Trace | None, after: Trace | None) -> list[str]:
    """Return the changes as sentences; empty if the traces are equal."""
    if before is None or after is None:
        if before is after:
            return []
        return ["It came on record."] if before is None else ["It is no longer on record."]
    return [
        *_fields(before, after),
        *(line for part in _SECTIONS for line in _entries(part[1], _lines(before, *part), _lines(after, *part))),
        *_entries("Revision", _revisions(before), _revisions(after)),
        *_entries("Priority", _priority(before), _priority(after)),
        *_entries("Lineage", _lineage(before), _lineage(after)),
        *(f"Gap closed: {gap}" for gap in before["gaps"] if gap not in after["gaps"]),
        *(f"Gap: {gap}" for gap in after["gaps"] if gap not in before["gaps"]),
    ]


def _fields(before: Trace, after: Trace) -> Iterator[str]:
    pairs = [(name, before["recommendation"].get(name), after["recommendation"].get(name)) for name in _FIELDS]
    for name, was, now in [*pairs, ("coverage", before["coverage"], after["coverage"])]:
        if was != now:
            yield f"{name.capitalize()}: was {_text(was)}, is {_text(now)}."


def _entries(label: str, before: Lines, after: Lines) -> Iterator[str]:
    for key in [*before, *(each for each in after if each not in before)]:
        was, now = before.get(key), after.get(key)
        if was is None and now is not None:
            yield f"{label} added: {' '.join(now)}"
        elif now is None and was is not None:
            yield f"{label} gone: {' '.join(was)}"
        elif was is not None and now is not None and was != now:
            yield f"{label} changed: {now[0]}"
            yield from (f"    was: {line}" for line in was if line not in now)
            yield from (f"    is:  {line}" for line in now if line not in was)


def _lines(trace: Trace, name: str, _label: str, render: Callable[[Trace], Entry], key: tuple[str, ...]) -> Lines:
    """Return the lines of each entry of a section, by its identifying fields."""
    entries: Lines = {}
    for item in trace.get(name, ()):
        entry_key = " ".join(str(item[part]) for part in key if part in item)
        while entry_key in entries:
            entry_key += " again"
        entries[entry_key] = _plain(render(item))
    return entries


def _priority(trace: Trace) -> Lines:
    item = dict(trace.get("priority", {}))
    closed = sections.closing(item.pop("closed")) if "closed" in item else []
    if "provisions" in item:
        item["provisions"] = [ref["provision"] for ref in item["provisions"]]
    lines = [f"{words(name)}: {_text(value)}." for name, value in sorted(item.items())]
    return {"": [*lines, *(line.plain for line in closed)]} if item else {}


def _revisions(trace: Trace) -> Lines:
    revisions = map(sections.revision, trace["recommendation"].get("revised", ()))
    return {str(number): text.plain.splitlines() for number, text in enumerate(revisions)}


def _lineage(trace: Trace) -> Lines:
    return {entry.head.plain: _plain(entry) for entry in sections.lineage(trace["lineage"])}


def _plain(entry: Entry) -> list[str]:
    return [entry.head.plain, *(line.plain for line in entry.lines)]


def _text(value: Any) -> str:
    match value:
        case None:
            return "not on record"
        case list():
            return ", ".join(map(words, value)) or "none"
        case _:
            return words(str(value))

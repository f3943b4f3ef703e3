"""A diff of one trace between two recording times, in the wording of the rendered trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

from services.recommendations.trace.provenance import versions_behind
from tools.render import trace_sections as sections
from tools.render.page import Entry, words

Trace = dict[str, Any]
Lines: TypeAlias = list[str]


class Shown(NamedTuple):
    """An entry as it is printed: the fields that name it, and the event that it is of, where it has one of its own."""

    key: str
    event: int | str
    lines: Lines


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


def _entries(label: str, before: list[Shown], after: list[Shown]) -> Iterator[str]:
    for was, now in _pairs(before, after):
        if was is None and now is not None:
            yield f"{label} added: {' '.join(now)}"
        elif now is None and was is not None:
            yield f"{label} gone: {' '.join(was)}"
        elif was is not None and now is not None and was != now:
            yield f"{label} changed: {now[0]}"
            yield from (f"    was: {line}" for line in was if line not in now)
            yield from (f"    is:  {line}" for line in now if line not in was)


def _pairs(before: list[Shown], after: list[Shown]) -> Iterator[tuple[Lines | None, Lines | None]]:
    """Pair the entries of the same event, and of the others those that are named alike, in their order."""
    by_event = {item.event: item for item in after}
    events = {item.event for item in before}
    new = [item for item in after if item.event not in events]
    for was in before:
        now = by_event.get(was.event)
        if now is None and (now := next((item for item in new if item.key == was.key), None)) is not None:
            new.remove(now)
        yield was.lines, now.lines if now else None
    yield from ((None, item.lines) for item in new)


def _lines(trace: Trace, name: str, _label: str, render: Callable[[Trace], Entry], key: tuple[str, ...]) -> list[Shown]:
    """Return the lines of each entry of a section."""
    entries = []
    for place, item in enumerate(trace.get(name, ())):
        entry_key = " ".join(str(item[part]) for part in key if part in item)
        event = _own_event(trace, f"{name}/{place}") or entry_key
        entries.append(Shown(entry_key, event, _plain(render(item))))
    return entries


def _own_event(trace: Trace, statement: str) -> int | None:
    """Return the version of the recommendation's own event that a statement is of; a later one only changed it."""
    behind = {statement: trace["provenance"]["statements"].get(statement, [])}
    versions = versions_behind(behind).get(f"recommendation/{trace['recommendation']['reference']}")
    return min(versions) if versions else None


def _priority(trace: Trace) -> list[Shown]:
    item = dict(trace.get("priority", {}))
    closed = sections.closing(item.pop("closed")) if "closed" in item else []
    if "provisions" in item:
        item["provisions"] = [ref["provision"] for ref in item["provisions"]]
    lines = [f"{words(name)}: {_text(value)}." for name, value in sorted(item.items())]
    return [Shown("", "", [*lines, *(line.plain for line in closed)])] if item else []


def _revisions(trace: Trace) -> list[Shown]:
    revised = [(item["version"], sections.revision(item).plain) for item in trace["recommendation"].get("revised", ())]
    return [Shown(text, version, text.splitlines()) for version, text in revised]


def _lineage(trace: Trace) -> list[Shown]:
    entries = sections.lineage(trace["lineage"])
    return [Shown(entry.head.plain, entry.head.plain, _plain(entry)) for entry in entries]


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

"""The statements of a trace as data: sections of sentences, which the terminal and the pages of the console show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from shared.domain.dates import in_words
from tools.render import trace_sections as sections
from tools.render.page import Entry, marked, note_and_source

_STANDING = {
    "void": "void: recorded by mistake",
    "disposed": "disposed of by the Committee",
    "transmitted": "transmitted to the Committee",
}
_SENT_BACK = {"returned": "returned by the Committee", "unknown": "before the Committee; what it did is not known"}
COVERAGE = {
    "uncovered": "uncovered: it cites no live mandate",
    "shallow": "shallow: it cites a live mandate; a known decision or evidence is missing",
    "deep": "deep: a live mandate, a known decision of the Committee, and evidence",
}


@dataclass(frozen=True)
class Statement:
    """A statement of a trace: `key` names it in `provenance.statements`, `item` is what the trace holds of it."""

    key: str
    entry: Entry
    item: Mapping[str, Any]


@dataclass(frozen=True)
class Section:
    """A section of a trace; `nothing` says that it has no statement, and is blank where it is then left out."""

    name: str
    title: str
    nothing: str
    statements: Sequence[Statement]


_SECTIONS: tuple[tuple[str, str, str, Callable[[dict[str, Any]], Entry]], ...] = (
    ("texts", "Texts", "", sections.text),
    ("mandates", "Mandates", "It cites none.", sections.mandate),
    ("initiatives", "Initiatives on the same provisions", "", sections.initiative),
    ("work", "Work", "None is on record.", sections.step),
    ("proceedings", "Agenda and outcomes", "", sections.proceedings),
    ("transmission", "Transmission", "None is on record.", sections.transmission),
    ("dispositions", "Disposition", "None is on record.", sections.disposition),
    ("follow_up", "Follow-up", "None is on record.", sections.follow_up),
)
_NO_LINEAGE = "Neither carried on nor related to another recommendation, as far as recorded."


def sections_of(trace: dict[str, Any]) -> Iterator[Section]:
    """Yield the sections of a trace in the order of the chain; those without a statement only where they say so."""
    for name, title, nothing, of in _SECTIONS:
        items = enumerate(trace.get(name, ()))
        statements = [Statement(f"{name}/{index}", _of_version(of(item), item, trace), item) for index, item in items]
        if statements or nothing:
            yield Section(name, title, nothing, statements)
        if name == "initiatives":
            yield from _priority(trace)
    related = list(sections.lineage(trace["lineage"]))
    items_of_lineage = [item for items in trace["lineage"].values() for item in items]
    statements = [Statement("lineage", entry, item) for entry, item in zip(related, items_of_lineage, strict=True)]
    yield Section("lineage", "Lineage", _NO_LINEAGE, statements)


def standing_of(trace: Mapping[str, Any]) -> str:
    """Return where a recommendation stands, in words."""
    standing: str = trace["recommendation"]["standing"]
    outcome: str = trace["dispositions"][-1]["outcome"] if standing == "disposed" else ""
    return _SENT_BACK.get(outcome, _STANDING.get(standing, standing))


def stalled_of(today: Mapping[str, Any]) -> list[str]:
    """Return, in words, the streams behind a trace that wait for a version."""
    return [
        f"{stream} waits for version {version}: what follows it is not shown here yet."
        for stream, version in today["stalled"].items()
    ]


def _priority(trace: Mapping[str, Any]) -> Iterator[Section]:
    if (item := trace.get("priority")) is None:
        return
    if "outcome" not in item:
        yield Section("priority", "Priority", "", [Statement("priority", Entry(Text(item["priority"])), item)])
        return
    head = marked(item["title"], item["status"], item.get("dated"))
    start = f"from {in_words(item['timeline_from'])} " if "timeline_from" in item else ""
    lines = [Text(f"Outcome: {item['outcome']}"), Text(f"Timeline: {start}to {in_words(item['timeline_to'])}.")]
    closing = sections.closing(item["closed"]) if "closed" in item else []
    entry = Entry(head, [*lines, *note_and_source(item), *closing])
    yield Section("priority", "Priority", "", [Statement("priority", entry, item)])


def _of_version(entry: Entry, item: Mapping[str, Any], trace: Mapping[str, Any]) -> Entry:
    """Say which version of the text a step concerns, where there are several."""
    if "texts" not in trace or "text_version" not in item:
        return entry
    return Entry(entry.head, [Text(f"Version {item['text_version']} of the text."), *entry.lines])

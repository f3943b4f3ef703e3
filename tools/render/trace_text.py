"""A trace as text: every statement in words, every doubt marked, every gap named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from itertools import groupby
from operator import itemgetter
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from shared.domain.dates import in_words
from tools.render import trace_sections as sections
from tools.render.console import Console
from tools.render.page import WIDTH, Entry, joined, listed, marked, note_and_source, pairs, section, words
from tools.render.statements import COVERAGE, Section, sections_of, stalled_of, standing_of

Places = Sequence[dict[str, Any]]
_PLACE = "v{version} at position {position}, leaf {leaf:.12}"
_CHANGE = {
    "RecordCorrected": "{stream} v{version} corrects v{about}: {reason}",
    "RecordVoided": "{stream} v{version} voids v{about}: {reason}",
}


def trace_text(trace: dict[str, Any], today: dict[str, Any], places: Places | None = None) -> RenderableType:
    """Render a trace for a console, with the events behind each statement where their places are given.

    `today` holds the statements that depend on the day and on delivery.
    """
    behind: dict[str, list[str]] = trace["provenance"]["statements"] if places is not None else {}
    shown = [_shown(each, behind) for each in sections_of(trace)]
    parts: list[RenderableType] = [
        *_heading(trace, behind, today.get("known_at")),
        *shown,
        *_behind_lineage(behind),
        listed("GAPS", trace["gaps"], "None."),
        *_today(today, is_past="as_of" in trace or "known_at" in today),
        *([] if places is None else _places(places)),
    ]
    return Group(*parts)


def plain_text(trace: dict[str, Any], today: dict[str, Any], places: Places | None = None) -> str:
    """Render a trace as plain text, as wide as a page."""
    console = Console(width=WIDTH, file=StringIO(), color_system=None, force_terminal=False, legacy_windows=False)
    with console.capture() as captured:
        console.print(trace_text(trace, today, places))
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def _heading(trace: dict[str, Any], behind: dict[str, list[str]], known_at: str | None) -> list[RenderableType]:
    own = trace["recommendation"]
    title = marked(Text(own["title"], style="bold"), own["status"], own.get("dated"))
    reference_is = own["reference_is"]
    rows: list[tuple[str, str | Text | None]] = [
        ("as of", in_words(trace["as_of"]) if "as_of" in trace else None),
        ("recorded by", known_at),
        ("standing", standing_of(trace)),
        ("coverage", COVERAGE[trace["coverage"]]),
        ("kinds", ", ".join(words(kind) for kind in own["kinds"])),
        ("addressed to", ", ".join(own["addressees"])),
        ("themes", ", ".join(own["themes"])),
        ("drafted", in_words(own["drafted_on"]) if "drafted_on" in own else None),
        *(("revised", sections.revision(item)) for item in own.get("revised", ())),
        ("text", own.get("text")),
        ("version", str(own["text_version"]) if "texts" in trace else None),
    ]
    return [
        joined([Text(own["reference"], style="bold cyan"), title], "  "),
        Text(f"{reference_is[:1].upper()}{reference_is[1:]}.", style="dim"),
        pairs(rows),
        *note_and_source(own),
        *_rests_on(behind.get("recommendation")),
    ]


def _shown(part: Section, behind: Mapping[str, Sequence[str]]) -> RenderableType:
    """Return a section with the events behind each statement; those of the lineage follow it together."""
    events = {} if part.name == "lineage" else behind
    entries = [_resting(each.entry, events.get(each.key)) for each in part.statements]
    return section(part.title.upper(), entries, part.nothing)


def _today(today: dict[str, Any], *, is_past: bool) -> list[RenderableType]:
    heading = "PAST DUE ON THAT DAY" if is_past else "TODAY"
    lines = [*today["past_due"], *stalled_of(today)]
    return [listed(f"{heading}, {in_words(today['date'])}", lines, "")] if lines else []


def _resting(entry: Entry, events: Sequence[str] | None) -> Entry:
    return Entry(entry.head, [*entry.lines, *_rests_on(events)])


def _rests_on(events: Sequence[str] | None) -> list[Text]:
    """Name the events behind a statement: the streams, and their versions."""
    lines = []
    for event in events or ():
        stream, versions = event.split(" ")
        lines.append(Text(f"rests on {stream} v{versions}", style="dim cyan"))
    return lines


def _places(places: Places) -> list[RenderableType]:
    changes = [_CHANGE[each["type"]].format_map(each) for each in places if each["type"] in _CHANGE]
    return [
        listed("CORRECTIONS AND VOIDS", changes, "None."),
        listed("EVENTS", _events_of_streams(places), "None."),
    ]


def _events_of_streams(places: Places) -> list[str]:
    """Format, by stream, the ledger position of each event, and the first digits of its leaf hash."""
    streams = groupby(places, itemgetter("stream"))
    return [f"{stream}: {'; '.join(map(_PLACE.format_map, events))}" for stream, events in streams]


def _behind_lineage(behind: dict[str, list[str]]) -> list[Text]:
    return [Text.assemble("     ", line) for line in _rests_on(behind.get("lineage"))]

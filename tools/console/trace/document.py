"""A trace as a document: its standing, the drawing, the same steps as a table, and every statement in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from tools.console import times
from tools.console.labels import label
from tools.console.languages import _, language
from tools.console.pdf import Block, Document, Drawing, Facts, Heading, Link, Paragraph, Points, Table, Text
from tools.console.trace.view import TraceView, certainty, columns, headings
from tools.render.statements import Section

_WIDTHS = (3, 7, 2, 2)


def document_of(view: TraceView, site: str, made_at: datetime) -> Document:
    """Return the document of a trace; `site` is the console's address."""
    address = f"{site}{view.address}"
    title = _("Trace of %(reference)s: %(title)s", reference=view.reference, title=view.own["title"])
    blocks = [
        Heading(_("Where it stands")),
        *_standing(view, address),
        Heading(_("The chain")),
        Drawing(view.drawing(), _("The chain of %(reference)s", reference=view.reference)),
        _steps(view),
        *(block for section in view.sections for block in _section(section, headings())),
        Heading(_("Gaps")),
        Points(view.trace["gaps"]) if view.trace["gaps"] else Paragraph(_("None.")),
    ]
    return Document(title, language(), blocks, made_at, address)


def _standing(view: TraceView, address: str) -> Iterator[Block]:
    own, today, latest = view.own, view.today, view.latest_words
    stands = f"{view.standing}. {latest}." if latest else f"{view.standing}."
    facts: list[tuple[str, Text | None]] = [
        (_("As of"), times.day(view.window.as_of) if view.window.as_of else None),
        (_("As known at"), times.when(view.window.known_at) if view.window.known_at else None),
        (_("Where it stands"), stands),
        (_("What is next"), _(view.next.sentence)),
        (_("Coverage"), view.coverage),
        (_("Text"), own.get("text")),
        (_("Kinds"), ", ".join(map(label, own["kinds"]))),
        (_("Addressed to"), ", ".join(own["addressees"])),
        (_("Themes"), ", ".join(own["themes"])),
        (_("Drafted"), times.day(own["drafted_on"]) if "drafted_on" in own else None),
        (_("Certainty"), certainty(own["status"])),
        (_("Note"), own.get("note")),
        (_("Source"), own.get("source")),
        (_("Why it is void"), own.get("void", {}).get("reason")),
        (_("Reference"), f"{own['reference']}: {own['reference_is']}"),
        (_("Permanent address"), Link(address, address)),
    ]
    yield Facts([(name, text) for name, text in facts if text])
    due = [*today["past_due"], *view.stalled]
    if due:
        yield Heading(_("Past due on %(day)s", day=times.day(today["date"])))
        yield Points(due)


def _steps(view: TraceView) -> Table:
    names = columns()
    rows = [
        (names[step.column], step.label, times.day(step.day) if step.day else "–", _foot(step.standing, step.certainty))
        for step in view.steps
    ]
    header = (_("Part"), _("Step"), _("Date"), _("Certainty"))
    return Table(_("The steps of the chain"), header, rows, _WIDTHS)


def _foot(standing: str, status: str) -> str:
    words = label(standing).lower() if standing in ("live", "suspect", "void", "uncited") else ""
    return ", ".join(filter(None, (words, certainty(status))))


def _section(section: Section, names: Mapping[str, str]) -> Iterator[Block]:
    yield Heading(names[section.name])
    if not section.statements:
        yield Paragraph(section.nothing)
    for statement in section.statements:
        yield Heading(statement.entry.head.plain, 2)
        for line in statement.entry.lines:
            yield Paragraph(line.plain)

"""The content of a trace's page, made from the answers of the services: pure, so that any trace can be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from markupsafe import Markup
from rich.text import Text

from shared.domain.dates import in_words
from tools.console import next_steps
from tools.console.labels import label
from tools.console.languages import _, plural
from tools.console.rich_text import markup, texts_in
from tools.console.trace.lineage import Node, drawing
from tools.console.trace.provenance import Behind, behind
from tools.console.trace.steps import Step, edges_of, names_of_statements, steps_of
from tools.console.trace.window import Window
from tools.render import trace_sections
from tools.render.page import marked
from tools.render.statements import COVERAGE, Section, Statement, sections_of, stalled_of, standing_of

MOST_IN_A_COLUMN = 24
"""The steps of a column that are drawn; the table has all."""


@dataclass(frozen=True)
class TraceView:
    """A trace as its page shows it."""

    trace: dict[str, Any]
    today: Mapping[str, Any]
    window: Window
    events: Sequence[Behind] = ()

    @property
    def reference(self) -> str:
        """The reference of the recommendation."""
        return str(self.trace["recommendation"]["reference"])

    @property
    def address(self) -> str:
        """The permanent address of the trace, of this time."""
        return self.window.keep(f"/traces/{self.reference}")

    @property
    def own(self) -> Mapping[str, Any]:
        """The recommendation itself."""
        return dict(self.trace["recommendation"])

    @property
    def title(self) -> Markup:
        """The title, with its certainty."""
        return markup(marked(self.own["title"], self.own["status"], self.own.get("dated")), [self.own["title"]])

    @property
    def standing(self) -> str:
        """The standing, in words."""
        words = standing_of(self.trace)
        return words[:1].upper() + words[1:]

    @property
    def latest(self) -> Markup | None:
        """The last act of the Committee."""
        disposed = self._disposed
        return shown(disposed[-1].entry.head, disposed[-1]) if disposed else None

    @property
    def latest_words(self) -> str:
        """The last act of the Committee, as plain text; blank where that is not on record."""
        return self._disposed[-1].entry.head.plain if self._disposed else ""

    @property
    def _disposed(self) -> list[Statement]:
        return [each for section in self.sections if section.name == "dispositions" for each in section.statements]

    @property
    def next(self) -> next_steps.Next:
        """The likely next step."""
        return next_steps.of_trace(self.trace)

    @property
    def coverage(self) -> str:
        """The reach of the thread, in words."""
        words = COVERAGE[self.trace["coverage"]]
        return words[:1].upper() + words[1:]

    @property
    def revised(self) -> list[Markup]:
        """The revisions, each with its date."""
        return [markup(trace_sections.revision(item), texts_in(item)) for item in self.own.get("revised", ())]

    @property
    def stalled(self) -> list[str]:
        """The streams behind it that wait for a version."""
        return stalled_of(self.today)

    @cached_property
    def sections(self) -> list[Section]:
        """The sections, in the order of the chain."""
        return list(sections_of(self.trace))

    @cached_property
    def steps(self) -> list[Step]:
        """The steps of the chain."""
        return steps_of(self.trace, self.sections)

    @cached_property
    def behind(self) -> dict[str, list[Behind]]:
        """The events behind each statement."""
        return behind(self.trace["provenance"]["statements"], self.events)

    def named(self, section: Section) -> list[tuple[str, Statement]]:
        """Return the statements of a section with the names of their elements."""
        return list(zip(names_of_statements(section), section.statements, strict=True))

    def is_past_due(self, statement: Statement) -> bool:
        """Tell whether a follow-up is past due, by what the service says of its date."""
        due, progress = statement.item.get("due"), statement.item.get("progress")
        says = f"due by {in_words(due)} " if due else ""
        open_still = progress not in ("implemented", "not_pursued")
        return bool(due) and open_still and any(says in each for each in self.today["past_due"])

    def drawing(self) -> Markup:
        """Return the drawing of the chain; of a long column its first steps, with a word on the others."""
        shown = [each for column in range(5) for each in _first([s for s in self.steps if s.column == column])]
        nodes = [_node(each) for each in shown]
        names = {each.name for each in shown}
        edges = [edge for edge in edges_of(self.steps) if names.issuperset(edge)]
        text = _("The chain of %(reference)s", reference=self.reference)
        counted = plural("%(n)s step in five columns", "%(n)s steps in five columns", len(nodes))
        desc = _("%(counted)s, from its mandates to what followed. The table after it has every step.", counted=counted)
        return Markup(drawing(nodes, edges, columns(), text, desc))  # noqa: S704 - every text in it is escaped

    @property
    def undrawn(self) -> int:
        """How many steps the drawing leaves to the table."""
        counts = [sum(step.column == column for step in self.steps) for column in range(5)]
        return sum(max(0, count - MOST_IN_A_COLUMN) for count in counts)


def columns() -> tuple[str, ...]:
    """Return the headings of the five columns."""
    return (_("Mandates"), _("Work"), _("Recommendation"), _("Committee"), _("What followed"))


def headings() -> dict[str, str]:
    """Return the headings of the sections."""
    return {
        "texts": _("Texts"), "mandates": _("Mandates"), "initiatives": _("Initiatives on the same provisions"),
        "priority": _("Priority"), "work": _("Work"), "proceedings": _("Agenda and outcomes"),
        "transmission": _("Transmission"), "dispositions": _("Disposition"), "follow_up": _("Follow-up"),
        "lineage": _("Lineage"),
    }  # fmt: skip


def certainty(word: str | None) -> str:
    """Return how certain a statement is, in words."""
    return {"unknown": _("certainty unknown")}.get(word or "unknown") or label(word or "").lower()


def lines(statement: Statement) -> list[Markup]:
    """Return the lines below the head of a statement."""
    return [shown(line, statement) for line in statement.entry.lines]


def shown(text: Text, statement: Statement) -> Markup:
    """Return a text of a statement as HTML."""
    return markup(text, texts_in(statement.item))


def _first(steps: list[Step]) -> list[Step]:
    """Return the steps of a column that are drawn: where they are too many, the suspect ones before the others."""
    if len(steps) <= MOST_IN_A_COLUMN:
        return steps
    chosen = {each.name for each in sorted(steps, key=lambda each: not each.is_suspect)[:MOST_IN_A_COLUMN]}
    return [each for each in steps if each.name in chosen]


def _node(step: Step) -> Node:
    standing = label(step.standing).lower() if step.column == 0 else ""
    sure = certainty(step.certainty)
    whole = f"{step.label} ({', '.join(filter(None, (standing, sure)))})"
    foot = f"{standing}, {label(step.certainty).lower()}" if standing else sure
    return Node(step.name, step.column, step.label, foot, whole, f"#{step.anchor}", step.is_suspect, step.column == 2)

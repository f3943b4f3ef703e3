"""The steps of a trace, from mandates to what followed: those of the drawing, its table, and the CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from shared.events.words import NO_DECISION
from tools.console.kinds import address_of
from tools.console.rich_text import without_marks
from tools.render.statements import Section, Statement, standing_of

MANDATES, WORK, OWN, COMMITTEE, AFTER = range(5)
_COLUMNS = {
    "mandates": MANDATES,
    "priority": WORK,
    "work": WORK,
    "transmission": COMMITTEE,
    "dispositions": COMMITTEE,
    "follow_up": AFTER,
}
_BEFORE = frozenset({"supersedes", "absorbs", "split_from"})
_DATES = ("on", "cited_on", "selected_on", "starts_at", "session_starts_on", "adopted_on", "drafted_on")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Step:
    """A step of the chain; `key` is that of its statement, `name` tells it from others, `day` is in the world."""

    name: str
    key: str
    column: int
    label: str
    day: str | None
    standing: str
    certainty: str
    address: str | None
    item: Mapping[str, Any]

    @property
    def anchor(self) -> str:
        """The id of the step's statement on the page."""
        return anchor_of(self.name)

    @property
    def is_suspect(self) -> bool:
        """True of a citation on which the recommendation cannot rest as it is."""
        return self.standing in ("suspect", "void")


def anchor_of(name: str) -> str:
    """Return the id of a statement's element on the page."""
    return "s-" + name.replace("/", "-")


def names_of_statements(section: Section) -> list[str]:
    """Return a name for each statement of a section: its key, in the lineage with its place."""
    if section.name != "lineage":
        return [each.key for each in section.statements]
    return [f"lineage/{index}" for index, _ in enumerate(section.statements)]


def steps_of(trace: Mapping[str, Any], sections: Sequence[Section]) -> list[Step]:
    """Return the steps of a trace, column by column, each column in the order of the trace."""
    steps = [_own(trace)]
    for section in sections:
        for name, statement in zip(names_of_statements(section), section.statements, strict=True):
            if (column := _column(section.name, statement, trace)) is not None:
                steps.append(_step(name, column, section.name, statement))
    return sorted(steps, key=lambda step: step.column)


def edges_of(steps: Sequence[Step]) -> list[tuple[str, str]]:
    """Return which step leads to which: by what is on record, else by the order of the chain."""
    own = next(step.name for step in steps if step.column == OWN)
    named = {step.name: step for step in steps}
    edges: list[tuple[str, str]] = []
    for step in steps:
        if step.column < OWN:
            edges.append((step.name, own))
        elif step.column == COMMITTEE:
            edges.append((_transmission(step, named) or own, step.name))
        elif step.column == AFTER:
            edges.append((_decision_before(step, steps) or own, step.name))
    return edges


def as_csv(steps: Sequence[Step], columns: Sequence[str], headings: Sequence[str]) -> bytes:
    """Return the steps as CSV, for a spreadsheet: UTF-8 with its mark, and no text that would be a formula."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(headings)
    for step in steps:
        row = (columns[step.column], step.label, step.day or "", step.standing, step.certainty, step.address or "")
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row])
    return out.getvalue().encode("utf-8-sig")


def stream_of(name: str, item: Mapping[str, Any]) -> str | None:
    """Return the stream of the record that a statement is about, besides the recommendation itself."""
    if name == "follow_up":
        item = item.get("evidence", {})
    kinds = ("instrument", "meeting", "session", "deliverable", "priority", "initiative")
    return next((f"{kind}/{item[kind]}" for kind in kinds if kind in item), None)


def _own(trace: Mapping[str, Any]) -> Step:
    own = trace["recommendation"]
    label = f"{own['reference']}: {own['title']}"
    address = f"/recommendations/{own['reference']}"
    day, standing = own.get("drafted_on"), standing_of(trace)
    return Step("recommendation", "recommendation", OWN, label, day, standing, own["status"], address, own)


def _step(name: str, column: int, section: str, statement: Statement) -> Step:
    item = statement.item
    day = next((str(item[each])[:10] for each in _DATES if item.get(each)), None)
    stream = stream_of(section, item)
    address = f"/traces/{item['reference']}" if "reference" in item else address_of(stream) if stream else None
    standing = item.get("standing") or item.get("outcome" if section == "dispositions" else "progress") or ""
    label = without_marks(statement.entry.head)
    if section == "mandates":
        day, label = item.get("cited_on"), f"{item['cite']}: {item.get('summary', item['provision'])}"
    return Step(name, statement.key, column, label, day, standing, item.get("status") or "unknown", address, item)


def _column(section: str, statement: Statement, trace: Mapping[str, Any]) -> int | None:
    if section == "lineage":
        before = any(statement.item is item for name in _BEFORE for item in trace["lineage"].get(name, ()))
        return WORK if before else AFTER
    return _COLUMNS.get(section)


def _transmission(step: Step, named: Mapping[str, Step]) -> str | None:
    """Return the transmission that a disposition disposes of."""
    name = f"transmission/{step.item.get('transmission')}"
    return name if step.name.startswith("dispositions/") and name in named else None


def _decision_before(step: Step, steps: Sequence[Step]) -> str | None:
    """Return the last decision of the Committee that is not later than a step, as far as dates are known."""
    decisions: Iterator[Step] = (
        each for each in steps if each.name.startswith("dispositions/") and each.standing not in NO_DECISION
    )
    earlier = [each.name for each in decisions if not (each.day and step.day and each.day[: len(step.day)] > step.day)]
    return earlier[-1] if earlier else None

"""The members and associate members of ESCAP, each with its nominations and experts; who answered a call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal

from services.nominations.domain.call import Closed, Open
from shared.domain.members import MEMBERS
from shared.domain.visibility import Viewer, within
from shared.events.values import earliest_day, latest_day
from shared.projection.facet_groups import count_groups
from shared.projection.state_query import known_states
from shared.projection.state_store import StateStore

Deadline = Literal["ahead", "possibly passed", "passed", "not set"]
_GROUPED = ("kind", "facets.member", "facets.stage", "facets.capacity")


@dataclass
class Tally:
    """The record of one member, counted: its nominations by stage, its experts by capacity, its submissions."""

    nominations: dict[str, int] = field(default_factory=dict)
    active: dict[str, int] = field(default_factory=lambda: {"principal": 0, "alternate": 0})
    days: list[str] = field(default_factory=list)

    @property
    def nominated(self) -> bool:
        """True if a nomination of the member is on record that is not void, and that the reader sees."""
        return any(stage != "void" for stage in self.nominations)


async def tallies(states: StateStore, reader: Viewer, call: str | None = None) -> dict[str, Tally]:
    """Return the tally of each member, in one query: of what a reader sees, and of nominations under a given call."""
    facets = {"nomination": {"call": call} if call else {}, "membership": {}}
    counted: dict[str, Tally] = {member: Tally() for member in MEMBERS}
    query = [known_states(kind, chosen, within(reader, kind)) for kind, chosen in facets.items()]
    for group in await count_groups(states.database, {"$or": query}, _GROUPED, of="facets.submitted"):
        kind, member, stage, capacity = group.key
        tally = counted.setdefault(str(member), Tally())
        if kind == "nomination":
            tally.nominations[str(stage)] = tally.nominations.get(str(stage), 0) + group.number
            tally.days += [day for day in (group.least, group.greatest) if day is not None]
        elif stage == "active":
            tally.active[str(capacity)] += group.number
    return {member: counted[member] for member in MEMBERS}


def row_of(member: str, tally: Tally) -> dict[str, Any]:
    """Return what a list of members shows of one."""
    days = {"first_submission": min(tally.days), "last_submission": max(tally.days)} if tally.days else {}
    return {
        "member": member,
        "name": MEMBERS[member].name,
        "kind": MEMBERS[member].kind,
        "nominated": tally.nominated,
        "nominations": dict(sorted(tally.nominations.items())),
        "active": tally.active,
        **days,
    }


def members(
    counted: Mapping[str, Tally], only: Iterable[str], nominated: str | None, kind: str | None
) -> dict[str, Any]:
    """Return the members that match, by name, and how many of them ever nominated."""
    rows = [row_of(member, counted[member]) for member in only]
    rows = [row for row in rows if kind in (None, row["kind"])]
    chosen = [row for row in rows if nominated is None or row["nominated"] == (nominated == "ever")]
    items = sorted(chosen, key=lambda row: row["name"])
    counts = {"ever": sum(row["nominated"] for row in rows), "never": sum(not row["nominated"] for row in rows)}
    return {"total": len(items), "counts": counts, "items": items}


def answers(call: Open | Closed, counted: Mapping[str, Tally], only: Iterable[str], answer: str | None) -> Any:
    """Return what a page of a call shows: its deadline, and who has answered it and who has not."""
    rows = members(counted, only, {"yes": "ever", "no": "never", None: None}[answer], None)
    opened = call.opened
    described = {
        "call": opened.call,
        "title": opened.title,
        "stage": call.stage,
        "opened_on": opened.opened_on,
        "closes_on": opened.closes_on,
        "closed_on": call.closed.closed_on if isinstance(call, Closed) else None,
        "themes": list(opened.themes),
        "deadline": deadline(opened.closes_on, datetime.now(UTC).date()),
    }
    counts = {"answered": rows["counts"]["ever"], "not_answered": rows["counts"]["never"]}
    return {name: value for name, value in described.items() if value is not None} | rows | {"counts": counts}


def deadline(closes_on: str | None, today: date) -> Deadline:
    """Tell whether the last day of a call has passed, as far as that day is known."""
    if closes_on is None:
        return "not set"
    if latest_day(closes_on) < today:
        return "passed"
    return "possibly passed" if earliest_day(closes_on) < today and len(closes_on) < len("2026-01-01") else "ahead"

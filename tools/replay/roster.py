"""The roster: memberships that nominations led to, by member, as ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from services.nominations.domain.membership import MEMBERSHIP, Absent, Active, Ended, Membership
from services.nominations.domain.nomination import NOMINATION
from services.nominations.domain.roster import Particulars, nominated_in, particulars_on
from services.recommendations.trace.window import Window
from shared.domain.aggregate import Aggregate
from shared.domain.voids import Void
from shared.events.canonical import canonical_unchecked

Row = dict[str, Any]
FOLDED_FOR: dict[str, Aggregate[Any]] = {aggregate.kind: aggregate for aggregate in (MEMBERSHIP, NOMINATION)}
"""The kinds of streams that the roster is made of."""


def part_of(kind: str, state: Any) -> Membership | Particulars:
    """Return what the roster needs of a state: a membership, or what a nomination says, without the encrypted box."""
    if kind == NOMINATION.kind:
        return replace(nominated_in(state), sealed=None)
    membership: Membership = state
    return membership


def rows_of(parts: Mapping[str, Any], as_of: date | None = None) -> list[Row]:
    """Return the rows of the memberships among the parts of some streams."""
    rows = []
    for state in parts.values():
        if isinstance(state, Active | Ended):
            nominated = parts.get(f"{NOMINATION.kind}/{state.began.nomination}", Particulars())
            rows.append(row_of(state, nominated, as_of))
    return [row for row in rows if row is not None]


def row_of(state: Membership, nominated: Particulars, as_of: date | None = None) -> Row | None:
    """Return a membership's row of the roster; None where it is not on record, or had not begun by `as_of`."""
    window = Window(as_of)
    if isinstance(state, Absent | Void) or not window.sees(state.began.began_on):
        return None
    began, particulars = state.began, particulars_on(state, nominated, as_of)
    ended = isinstance(state, Ended) and window.sees(state.ended.ended_on)
    row = {
        "member": began.member,
        "membership": began.membership,
        "person": began.person,
        "capacity": began.capacity,
        "nomination": began.nomination,
        "institution": particulars.institution,
        "category": particulars.category,
        "expertise": list(particulars.expertise),
        "themes": list(particulars.themes),
        "replaces": began.replaces,
        "began_on": began.began_on,
        "stage": "ended" if ended else "active",
    }
    if ended and isinstance(state, Ended):
        row |= {"ended_on": state.ended.ended_on, "reason": state.ended.reason}
    return {name: value for name, value in row.items() if value is not None}


def roster_bytes(rows: Iterable[Row]) -> bytes:
    """Encode the roster as canonical JSON, sorted by member and membership."""
    return canonical_unchecked(sorted(rows, key=lambda row: (row["member"], row["membership"])))

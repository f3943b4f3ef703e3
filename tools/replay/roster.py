"""The roster: memberships that nominations led to, by member, as ids."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from services.nominations.domain.membership import Absent, Ended, Membership
from services.recommendations.trace.window import Window
from shared.domain.voids import Void
from shared.events.canonical import canonical_unchecked

Row = dict[str, Any]


def row_of(state: Membership, as_of: date | None = None) -> Row | None:
    """Return a membership's row of the roster; None where it is not on record, or had not begun by `as_of`."""
    window = Window(as_of)
    if isinstance(state, Absent | Void) or not window.sees(state.began.began_on):
        return None
    began = state.began
    ended = isinstance(state, Ended) and window.sees(state.ended.ended_on)
    row = {
        "member": began.member,
        "membership": began.membership,
        "person": began.person,
        "capacity": began.capacity,
        "nomination": began.nomination,
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

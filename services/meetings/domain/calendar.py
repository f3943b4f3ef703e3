"""The months of a meeting, by which a calendar lists it."""

from __future__ import annotations

from services.meetings.domain.states import Held, OnRecord
from shared.events.values import earliest_day, latest_day

MOST_MONTHS = 24


def months_of(state: OnRecord) -> list[str]:
    """Return the months in which a meeting takes place, as `2026-03`; its year alone where no more is known of it."""
    held = state.held if isinstance(state, Held) else None
    begins = (held.held_from if held else None) or state.particulars.starts_at
    ends = (held.held_to if held else None) or state.particulars.ends_at or begins
    if begins is None or ends is None:
        return []
    if len(begins) == len("2026"):
        return [begins]
    first, last = earliest_day(begins), latest_day(ends)
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    numbers = (first.month - 1 + number for number in range(min(max(count, 1), MOST_MONTHS)))
    return [f"{first.year + number // 12:04}-{number % 12 + 1:02}" for number in numbers]

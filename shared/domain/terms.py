"""The term of a membership beside a meeting that was attended: gaps, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.dates import in_words
from shared.domain.single_facts import is_before


def outside_term(entry: Mapping[str, Any], title: str | None, starts: str | None) -> Iterator[str]:
    """Yield how an attendance lies outside the term of its membership; its limits are those of AttendanceRecorded."""
    began, ended = entry.get("membership_began_on"), entry.get("membership_ended_on")
    attended = f"An expert of {entry['member']} ({entry['membership']}) attended {title}"
    if ended is not None and starts is not None and is_before(ended, starts):
        yield f"{attended} after the membership had ended on {in_words(ended)}."
    elif entry.get("membership_ended") and (ended is None or starts is None):
        yield f"{attended}; the membership has ended, before or after is unknown."
    if starts is not None and began is not None and is_before(starts, began):
        yield f"{attended} before the membership began on {in_words(began)}."

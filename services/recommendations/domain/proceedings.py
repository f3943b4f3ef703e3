"""The part of a meeting in a recommendation: its origin, a discussion, its adoption, or evidence of what was done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, TypeAlias

from services.recommendations.domain.state import Recommendation

Part: TypeAlias = Literal["origin", "discussion", "adoption", "evidence"]


class MeetingPart(NamedTuple):
    """One part of a meeting in a recommendation, recorded by a version; `outcome` is the decision of an adoption."""

    part: Part
    version: int
    outcome: str | None = None


def parts_of(state: object, meeting: str) -> list[MeetingPart]:
    """Return the parts of a meeting in a recommendation that is not void, in the order of recording."""
    return sorted(_parts(state, meeting), key=lambda part: part.version) if isinstance(state, Recommendation) else []


def _parts(state: Recommendation, meeting: str) -> Iterator[MeetingPart]:
    by_part: tuple[tuple[Part, tuple[Any, ...]], ...] = (
        ("origin", state.origins),
        ("discussion", state.discussed),
        ("adoption", state.adoptions),
    )
    for part, items in by_part:
        for item in items:
            if item.data.meeting == meeting:
                yield MeetingPart(part, item.versions[0], getattr(item.data, "outcome", None))
    for report in state.followed_up:
        if report.data.evidence is not None and report.data.evidence.meeting == meeting:
            yield MeetingPart("evidence", report.versions[0])

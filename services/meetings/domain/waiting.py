"""Waiting matters of a meeting: confirmations, that it is held, and its open action points."""

from __future__ import annotations

from collections.abc import Iterator

from services.meetings.domain.states import Absent, Cancelled, Convened, Held, Meeting, OnRecord, Proposed, Recorded
from shared.domain.dates import in_words
from shared.domain.voids import Void
from shared.domain.waiting import Waiting
from shared.events.words import Role

CONFIRMERS: tuple[Role, ...] = ("chair", "secretariat")
KINDS = ("confirmation", "holding", "action_point")


def waiting(state: Meeting) -> Iterator[Waiting]:
    """Yield what waits on a meeting, and for whom."""
    match state:
        case Absent() | Void() | Cancelled():
            return
        case Proposed():
            yield from _confirmations(state)
        case Convened():
            yield _holding(state)
        case Held() | Recorded():
            yield from _action_points(state)


def _confirmations(state: Proposed) -> Iterator[Waiting]:
    begins = in_words(state.particulars.starts_at)
    for confirmer in CONFIRMERS:
        if confirmer not in state.confirmed_by:
            why = f"It is proposed for {begins}, and waits for confirmation by the {confirmer}."
            due = _day(state.particulars.starts_at)
            yield _of(state, "confirmation", role=confirmer, about=confirmer, due=due, why=why)


def _holding(state: Convened) -> Waiting:
    day = _day(state.particulars.ends_at or state.particulars.starts_at)
    why = f"It is convened until {in_words(day)}: record after it that it was held, move it, or cancel it."
    return _of(state, "holding", due=day, why=why)


def _action_points(state: Held | Recorded) -> Iterator[Waiting]:
    closed = {entry.fact.outcome for entry in state.proceedings.closed}
    for entry in state.proceedings.outcomes:
        fact = entry.fact
        if fact.kind == "action_point" and fact.outcome not in closed:
            whose = f" of {fact.responsible}" if fact.responsible else ""
            why = f"The action point {fact.outcome}{whose} is open."
            yield _of(state, "action_point", about=fact.outcome, due=fact.due, why=why)


def _of(
    state: OnRecord, kind: str, *, due: str | None, why: str, about: str | None = None, role: Role = "secretariat"
) -> Waiting:
    particulars = state.particulars
    return Waiting(
        kind=kind, stream=f"meeting/{particulars.meeting}", about=about, title=particulars.title, since=state.since,
        due=due, why=why, roles=(role,),
    )  # fmt: skip


def _day(when: str | None) -> str | None:
    return when[:10] if when else None

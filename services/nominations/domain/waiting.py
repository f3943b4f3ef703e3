"""Waiting matters of this service: nominations to review or to complete, calls to answer or to close."""

from __future__ import annotations

from collections.abc import Iterator, Set

from services.nominations.domain.call import Call, Closed, Open
from services.nominations.domain.nomination_states import Nomination, Returned, Submitted, submitted_day
from shared.domain.dates import in_words
from shared.domain.members import MEMBERS
from shared.domain.waiting import Waiting
from shared.events.nominations import NominationSubmitted
from shared.events.words import Role

TO_REVIEW, TO_COMPLETE = "nomination_to_review", "nomination_to_complete"
TO_ANSWER, TO_CLOSE = "call_to_answer", "call_to_close"
OF_NOMINATIONS = {TO_REVIEW: "submitted", TO_COMPLETE: "returned"}
"""The stage of a nomination in which it waits for each of these."""
OF_CALLS = (TO_ANSWER, TO_CLOSE)
KINDS = (*OF_NOMINATIONS, *OF_CALLS)


def of_nomination(state: Nomination, call: Call) -> Iterator[Waiting]:
    """Yield for whom a nomination waits: until the last day of its call, where it answers one."""
    due = call.opened.closes_on if isinstance(call, Open | Closed) else None
    match state:
        case Submitted():
            since = state.resubmitted_on or submitted_day(state)
            situation = f"It waits for the secretariat since {in_words(since)}{_until(due)}"
            why = f"{situation}: register it, return it, or decline it on a named ground."
            yield _nomination(state.particulars, TO_REVIEW, "secretariat", since, due, why)
        case Returned():
            since = state.returned.returned_on or state.since[:10]
            situation = f"It waits for the Government since {in_words(since)}{_until(due)}"
            why = f"{situation}: complete and resubmit it, or withdraw it."
            yield _nomination(state.particulars, TO_COMPLETE, "focal_point", since, due, why)
        case _:
            return


def of_call(state: Call, answered: Set[str]) -> Iterator[Waiting]:
    """Yield what waits on an open call: the members that have not answered it, and its closing."""
    if not isinstance(state, Open):
        return
    opened, due = state.opened, state.opened.closes_on
    call = f"call/{opened.call}"
    last = f"; its last day is {in_words(due)}" if due else "; it names no last day"
    yield Waiting(
        kind=TO_CLOSE, stream=call, title=opened.title, since=opened.opened_on, due=due, roles=("secretariat",),
        why=f"{len(answered)} of {len(MEMBERS)} members have answered it{last}: close it once it takes no more.",
    )  # fmt: skip
    for member in sorted(MEMBERS.keys() - answered):
        yield Waiting(
            kind=TO_ANSWER, stream=call, about=member, title=opened.title, since=opened.opened_on, due=due,
            roles=("focal_point",), member=member,
            why=f"{MEMBERS[member].name} has no nomination under it{last}.",
        )  # fmt: skip


def _nomination(
    particulars: NominationSubmitted, kind: str, role: Role, since: str, due: str | None, why: str
) -> Waiting:
    """Return a waiting nomination, by its Government and capacity: nothing of the person."""
    member = particulars.member
    name = MEMBERS[member].name if member in MEMBERS else member
    return Waiting(
        kind=kind, stream=f"nomination/{particulars.nomination}", title=f"{name}: {particulars.capacity}", since=since,
        due=due, why=why, roles=(role,), member=member,
    )  # fmt: skip


def _until(due: str | None) -> str:
    """Format the date by which a matter is due, as the end of a sentence."""
    return f", due by {in_words(due)}" if due else ""

"""The terms of memberships beside the meetings that were attended: as known when recorded, and as known now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.meetings.domain.foreign import Membership, MembershipReplica, Unknown
from services.meetings.domain.states import Absent, Entry, Held, Meeting, OnRecord
from shared.domain.aggregate import Known
from shared.domain.single_facts import is_before
from shared.domain.terms import outside_term
from shared.domain.voids import Void
from shared.events.meetings import AttendanceRecorded
from shared.events.values import Seen

LIMITS = ("membership_began_on", "membership_ended", "membership_ended_on")
_WITHOUT_LIMITS = dict.fromkeys(LIMITS)


def limits_of(membership: Membership, day: str | None) -> dict[str, Any]:
    """Return the limits of a membership that has ended by now, or began only after the meeting's day."""
    ended = {"membership_ended": True, "membership_ended_on": membership.ended_on}
    began = {"membership_began_on": membership.began_on}
    too_late = membership.began_on is not None and day is not None and is_before(day, membership.began_on)
    return (ended if membership.stage == "ended" else {}) | (began if too_late else {})


def memberships_of(state: Meeting) -> set[str]:
    """Return the streams of the memberships that attended a meeting."""
    return {f"membership/{entry.fact.membership}" for entry in _attendance(state)}


def put_right(state: Meeting, memberships: Mapping[str, Known]) -> Iterator[tuple[int, AttendanceRecorded]]:
    """Yield the attendances that say other gaps than are known now: the version of each, and what it should say."""
    for entry in _attendance(state):
        known = memberships.get(f"membership/{entry.fact.membership}")
        if known is None or isinstance(known.state, Unknown) or isinstance(state, Absent | Void):
            continue
        starts = _starts(state)
        limits = limits_of(known.state, starts) if isinstance(known.state, Membership) else {}
        seen = Seen(stream=f"membership/{entry.fact.membership}", version=known.version)
        as_known = entry.fact.model_copy(update={**_WITHOUT_LIMITS, **limits, "seen": seen})
        if _in_words(as_known, state) != _in_words(entry.fact, state):
            yield entry.versions[0], as_known


def gaps_of(state: Meeting, memberships: Mapping[str, MembershipReplica]) -> list[str]:
    """Return, in words, the attendances outside the term of their membership, or of one that is void, as known now."""
    if isinstance(state, Absent | Void):
        return []
    return [
        gap
        for entry in _attendance(state)
        for gap in _gaps_of(state, entry, memberships[f"membership/{entry.fact.membership}"])
    ]


def _attendance(state: Meeting) -> tuple[Entry[AttendanceRecorded], ...]:
    return () if isinstance(state, Absent | Void) else state.proceedings.attendance


def _gaps_of(state: OnRecord, entry: Entry[AttendanceRecorded], membership: MembershipReplica) -> Iterator[str]:
    fact, title = entry.fact, state.particulars.title
    if isinstance(membership, Void):
        yield f"An expert of {fact.member} ({fact.membership}) attended {title}; the membership is void."
    if not isinstance(membership, Membership):
        return
    starts, recorded = _starts(state), _in_words(fact, state)
    known = fact.model_dump(include={"membership", "member"}) | limits_of(membership, starts)
    for gap in outside_term(known, title, starts):
        since = f" Version {entry.versions[0]} was recorded before that was known: correct it, and traces will say so."
        yield gap if gap in recorded else gap + since


def _in_words(fact: AttendanceRecorded, state: OnRecord) -> list[str]:
    return list(outside_term(fact.model_dump(exclude_none=True), state.particulars.title, _starts(state)))


def _starts(state: OnRecord) -> str | None:
    return (state.held.held_from if isinstance(state, Held) else None) or state.particulars.starts_at

"""Checks of this service's facts upon the state that they follow."""

from __future__ import annotations

from datetime import datetime

from services.recommendations.domain.registers import OnRecord
from services.recommendations.domain.rules import SessionHasNotBegun
from shared.domain.aggregate import Facts
from shared.domain.rejections import Rejection
from shared.domain.single_facts import last_day_of_facts
from shared.events.event import Event
from shared.events.recommendations import CommitteeDispositionRecorded
from shared.events.values import earliest_day


def check_recommendation(_state: object, event: Event, *, facts: Facts, now: datetime, **_: object) -> Rejection | None:
    """Refuse an undated disposition of a session that has not begun: it takes that session's date."""
    if not isinstance(event, CommitteeDispositionRecorded) or event.on is not None:
        return None
    known = facts.get(f"session/{event.session}")
    starts_on = known.state.recorded.data.starts_on if known and isinstance(known.state, OnRecord) else None
    if starts_on is None or earliest_day(starts_on) <= last_day_of_facts(now):
        return None
    return SessionHasNotBegun(event.session, starts_on)

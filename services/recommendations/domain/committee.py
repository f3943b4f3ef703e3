"""A recommendation before the Committee: its transmission to a session, and what the session did with it."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.recommendations.commands import RecordDisposition, TransmitRecommendation
from services.recommendations.domain import rules
from services.recommendations.domain.instrument import Registered
from services.recommendations.domain.mandate import was_live
from services.recommendations.domain.registers import Absent as NotRecorded
from services.recommendations.domain.state import Recommendation
from services.recommendations.domain.texts import adopted_numbers, chosen, not_adopted, texts_of
from shared.domain.aggregate import Decision, Facts, event_from
from shared.domain.rejections import OutOfOrder, Rejection
from shared.events import recommendations as events
from shared.events.values import earliest_day
from shared.events.words import SENT_BACK


def transmit(state: Recommendation, command: TransmitRecommendation, stream: str, facts: Facts, *_: Any) -> Decision:
    """Send an adopted text to a session, and again to one that sent it back."""
    reference = stream.partition("/")[2]
    if state.adopted is None:
        return rules.RecommendationNotAdopted(reference)
    if _is_sent(state, command.session):
        return OutOfOrder("TransmitRecommendation", stream, f"transmitted to session {command.session} already")
    texts = texts_of(state)
    text = chosen(texts, command.text_version, stream)
    if isinstance(text, Rejection):
        return text
    if (refusal := not_adopted(stream, text, adopted_numbers(state, texts))) is not None:
        return refusal
    day = _day_of_transmission(command, facts)
    if not any(_is_live(citation, facts, day) for citation in state.citations):
        return rules.RecommendationCitesNoMandate(reference, day.isoformat() if day else "an unknown day")
    return [event_from(command, events.RecommendationTransmitted, text_version=text.number)]


def _is_sent(state: Recommendation, session: int) -> bool:
    """Tell whether it was transmitted to a session that has not sent it back."""
    sent = next((item for item in reversed(state.transmitted) if item.data.session == session), None)
    disposed = state.disposition_of(sent) if sent else None
    return sent is not None and (disposed is None or disposed.data.outcome not in SENT_BACK)


def _day_of_transmission(command: TransmitRecommendation, facts: Facts) -> date | None:
    session = facts[f"session/{command.session}"].state
    first_day = None if isinstance(session, NotRecorded) else session.recorded.data.starts_on
    on = command.on or first_day
    return earliest_day(on) if on else None


def _is_live(citation: Any, facts: Facts, day: date | None) -> bool:
    known = facts.get(f"instrument/{citation.cited.data.instrument}")
    return known is not None and isinstance(known.state, Registered) and was_live(citation, known.state, day)


def dispose(state: Recommendation, command: RecordDisposition, stream: str, *_: Any) -> Decision:
    """Record what a session did with a transmission: one to it, or one that an earlier session deferred."""
    if state.transmission_before(command.session) is not None:
        return [event_from(command, events.CommitteeDispositionRecorded)]
    if any(item.data.session == command.session for item in state.disposed):
        return OutOfOrder("RecordDisposition", stream, f"disposed of at session {command.session} already")
    return rules.RecommendationNotTransmitted(stream.partition("/")[2], command.session)

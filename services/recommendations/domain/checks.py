"""Checks of this service's facts upon the state that they follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime

from services.recommendations import commands
from services.recommendations.domain import texts
from services.recommendations.domain.circles import leads_back
from services.recommendations.domain.foreign import MeetingReplica
from services.recommendations.domain.registers import OnRecord
from services.recommendations.domain.rules import (
    AdoptionRestsOnUnknownDecision,
    RelationsFormACircle,
    SessionHasNotBegun,
)
from services.recommendations.domain.state import Absent, Recommendation, State
from shared.domain.aggregate import Facts
from shared.domain.rejections import Rejection
from shared.domain.single_facts import last_day_of_facts
from shared.domain.voids import Once, Void, recorded_anew
from shared.events.event import Event
from shared.events.recommendations import (
    CommitteeDispositionRecorded,
    RecommendationAdopted,
    RecommendationMerged,
    RecommendationSplit,
    RecommendationSuperseded,
)
from shared.events.values import earliest_day
from shared.events.words import SENT_BACK

CLOSES = (RecommendationSuperseded, RecommendationMerged, RecommendationSplit)
_CLOSING = (commands.SupersedeRecommendation, commands.MergeRecommendation, commands.SplitRecommendation)


def check_recommendation(
    _state: object, event: Event, *, stream: str, facts: Facts, now: datetime, **_: object
) -> Rejection | None:
    """Refuse an early disposition, an adoption on no decision, and closings that lead back to where they began."""
    if isinstance(event, RecommendationAdopted):
        return _on_no_decision(event, facts)
    if isinstance(event, CommitteeDispositionRecorded):
        return None if event.on is not None else _too_early(event, facts, now)
    later = {other: _later(known.state) for other, known in facts.items()}
    circles = (other for other in _in_favour_of(event) if leads_back(stream, other, later))
    return next((RelationsFormACircle(stream, other) for other in circles), None)


def judge_void(before: State, after: State, then: Mapping[int, State], version: int, stream: str) -> Rejection | None:
    """Refuse a void by which an adopted text would read otherwise, or the same would be on record twice."""
    refusal = texts.judge_void(before, after, then, version, stream)
    return refusal or recorded_anew(_once(before), _once(after), then, stream)


def _once(state: State) -> Iterator[Once]:
    """Yield what is on record once: the citation of a provision, the adoption of a text, a session's part in it."""
    if isinstance(state, Absent | Void):
        return
    for citation in state.citations:
        if citation.uncited is None:
            yield ("cited", citation.cited.data.instrument, citation.cited.data.provision), citation.cited.versions[0]
    for adoption in state.adoptions:
        if adoption.data.text_version is not None:
            yield ("adopted", adoption.data.text_version), adoption.versions[0]
    yield from _sent_once(state)
    yield from _disposed_once(state)


def _sent_once(state: Recommendation) -> Iterator[Once]:
    """Yield each transmission, with its session and how often that session had sent the text back."""
    sent_back: Counter[int] = Counter()
    for sent in state.transmitted:
        yield ("sent", sent.data.session, sent_back[sent.data.session]), sent.versions[0]
        disposed = state.disposition_of(sent)
        sent_back[sent.data.session] += disposed is not None and disposed.data.outcome in SENT_BACK


def _disposed_once(state: Recommendation) -> Iterator[Once]:
    """Yield each disposition, with its session and its transmission, or that of the one before."""
    last: dict[int, int | None] = {}
    for item in state.disposed:
        last[item.data.session] = item.transmission or last.get(item.data.session)
        yield ("disposed", item.data.session, last[item.data.session]), item.versions[0]


def leads_to(item: object, facts: Facts) -> frozenset[str]:
    """Return the recommendations that those read so far were closed in favour of, where a closing is to be checked."""
    if not isinstance(item, CLOSES + _CLOSING):
        return frozenset()
    return frozenset(other for known in facts.values() for other in _later(known.state))


def _later(state: object) -> list[str]:
    if not isinstance(state, Recommendation):
        return []
    return [other for item in (*state.superseded, *state.merged, *state.split) for other in _in_favour_of(item.data)]


def _in_favour_of(event: Event) -> list[str]:
    """Return the recommendations that an event closes its own in favour of."""
    match event:
        case RecommendationSuperseded(by=str(other)) | RecommendationMerged(into=str(other)):
            return [f"recommendation/{other}"]
        case RecommendationSplit(into=tuple(parts)):
            return [f"recommendation/{part}" for part in parts]
        case _:
            return []


def _on_no_decision(event: RecommendationAdopted, facts: Facts) -> Rejection | None:
    known = facts.get(f"meeting/{event.meeting}")
    decisions = known.state.decisions if known and isinstance(known.state, MeetingReplica) else frozenset()
    if event.outcome is None or event.outcome in decisions:
        return None
    return AdoptionRestsOnUnknownDecision("outcome", event.outcome, event.meeting or "no meeting")


def _too_early(event: CommitteeDispositionRecorded, facts: Facts, now: datetime) -> Rejection | None:
    """Refuse an undated disposition before its session can have begun: it takes that session's date."""
    known = facts.get(f"session/{event.session}")
    starts_on = known.state.recorded.data.starts_on if known and isinstance(known.state, OnRecord) else None
    if starts_on is None or earliest_day(starts_on) <= last_day_of_facts(now):
        return None
    return SessionHasNotBegun(event.session, starts_on)

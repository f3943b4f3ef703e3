"""A recommendation's states as types, and how its facts fold into them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

from services.recommendations.domain.citations import Citation, cited
from services.recommendations.domain.recorded_fact import RecordedFact, recorded_fact
from shared.domain.facts import Fact
from shared.domain.voids import Void
from shared.events.event import Event
from shared.events.recommendations import (
    CitationReconfirmed,
    CommitteeDispositionRecorded,
    FollowUpReported,
    MandateCited,
    MandateUncited,
    OriginRecorded,
    RecommendationAdopted,
    RecommendationCarried,
    RecommendationDiscussed,
    RecommendationDrafted,
    RecommendationMerged,
    RecommendationRevised,
    RecommendationSplit,
    RecommendationSuperseded,
    RecommendationTransmitted,
    RecommendationWithdrawn,
)
from shared.events.values import Model, Version
from shared.events.words import SENT_BACK


class Disposition(RecordedFact[CommitteeDispositionRecorded]):
    """A disposition by the Committee; `transmission` is the version of the event that it disposes of, if on record."""

    transmission: Version | None = None


class Absent(Model):
    """No recommendation of this reference is on record."""

    stage: Literal["absent"] = "absent"


class Recommendation(Model):
    """All that is on record of a recommendation."""

    drafted: RecordedFact[RecommendationDrafted]
    revised: tuple[RecordedFact[RecommendationRevised], ...] = ()
    citations: tuple[Citation, ...] = ()
    origins: tuple[RecordedFact[OriginRecorded], ...] = ()
    discussed: tuple[RecordedFact[RecommendationDiscussed], ...] = ()
    adopted: RecordedFact[RecommendationAdopted] | None = None
    adopted_anew: tuple[RecordedFact[RecommendationAdopted], ...] = ()
    transmitted: tuple[RecordedFact[RecommendationTransmitted], ...] = ()
    disposed: tuple[Disposition, ...] = ()
    carried: tuple[RecordedFact[RecommendationCarried], ...] = ()
    followed_up: tuple[RecordedFact[FollowUpReported], ...] = ()
    superseded: tuple[RecordedFact[RecommendationSuperseded], ...] = ()
    merged: tuple[RecordedFact[RecommendationMerged], ...] = ()
    split: tuple[RecordedFact[RecommendationSplit], ...] = ()
    withdrawn: RecordedFact[RecommendationWithdrawn] | None = None

    def citation_of(self, instrument: str, provision: str) -> Citation | None:
        """Return the citation of a provision that was not taken back."""
        return next((c for c in self.citations if c.uncited is None and c.is_of(instrument, provision)), None)

    @property
    def adoptions(self) -> tuple[RecordedFact[RecommendationAdopted], ...]:
        """Its adoptions, in the order of recording."""
        return (self.adopted, *self.adopted_anew) if self.adopted else ()

    def disposition_of(self, sent: RecordedFact[RecommendationTransmitted]) -> Disposition | None:
        """Return the last disposition of a transmission."""
        return next((item for item in reversed(self.disposed) if item.transmission == sent.versions[0]), None)

    def transmission_before(self, session: int) -> RecordedFact[RecommendationTransmitted] | None:
        """Return the latest transmission that a session can dispose of.

        That is one to this session which has no disposition, else the latest of all where an earlier session deferred
        it.
        """
        disposed = {item.transmission for item in self.disposed}
        for sent in reversed(self.transmitted):
            if sent.data.session == session and sent.versions[0] not in disposed:
                return sent
        last = self.disposition_of(self.transmitted[-1]) if self.transmitted else None
        deferred = last is not None and last.data.outcome == "deferred" and last.data.session < session
        return self.transmitted[-1] if deferred else None

    @property
    def priority(self) -> str | None:
        """The priority that it serves, as last revised."""
        return self.priority_of(self.revised)

    def priority_of(self, revised: Iterable[RecordedFact[RecommendationRevised]]) -> str | None:
        """Return the priority that it serves by these of its revisions."""
        named = [item.data.priority for item in revised if item.data.priority]
        return named[-1] if named else self.drafted.data.priority


class Drafted(Recommendation):
    """It is a draft."""

    stage: Literal["drafted"] = "drafted"


class Adopted(Recommendation):
    """Its adoption is on record."""

    stage: Literal["adopted"] = "adopted"


class Transmitted(Recommendation):
    """It lies before the Committee: its latest transmission has no disposition, or was deferred."""

    stage: Literal["transmitted"] = "transmitted"


class Disposed(Recommendation):
    """The Committee has dealt with its latest transmission."""

    stage: Literal["disposed"] = "disposed"


class Closed(Recommendation):
    """It was superseded, merged, split or withdrawn."""

    stage: Literal["closed"] = "closed"


OnRecord: TypeAlias = Drafted | Adopted | Transmitted | Disposed | Closed
State: TypeAlias = Absent | Void | OnRecord


def _with(state: OnRecord, stage: type[OnRecord] | None = None, **changes: Any) -> OnRecord:
    """Return a state with changes, at a stage or else at the one that follows; what is closed stays closed."""
    changed = state.model_copy(update=changes)
    stage = stage or _stage(changed)
    if isinstance(state, stage | Closed):
        return changed
    return stage(**{name: getattr(changed, name) for name in Recommendation.model_fields})


def _stage(state: Recommendation) -> type[OnRecord]:
    if not state.transmitted:
        return Adopted if state.adopted else Drafted
    sent = state.transmitted[-1]
    disposed = state.disposition_of(sent)
    if disposed is None or disposed.data.outcome == "deferred":
        return Transmitted
    newest = max((item.data.text_version or 0 for item in state.adoptions), default=0)
    sent_text = sent.data.text_version or sent.versions[0]
    return Adopted if disposed.data.outcome in SENT_BACK and newest > sent_text else Disposed


def evolve(state: State, fact: Fact) -> State:
    """Fold one fact of a recommendation's stream."""
    kind = type(fact.data)
    if kind is RecommendationDrafted:
        return Drafted(drafted=recorded_fact(fact, RecommendationDrafted))
    if isinstance(state, Absent | Void):
        return state
    if kind in _CITES:
        return state.model_copy(update={"citations": cited(state.citations, fact)})
    if kind in _RELATES:
        return _related(state, fact)
    if kind is RecommendationAdopted:
        return _adopted(state, fact)
    if kind is RecommendationTransmitted:
        return _with(state, transmitted=(*state.transmitted, recorded_fact(fact, kind)))
    if kind is CommitteeDispositionRecorded:
        return _disposed(state, fact)
    if kind not in _LISTS:
        return state
    name = _LISTS[kind]
    return state.model_copy(update={name: (*getattr(state, name), recorded_fact(fact, kind))})


def _adopted(state: OnRecord, fact: Fact) -> OnRecord:
    """Fold an adoption. One that names no text version is from before there were any: then the first one counts."""
    adoption = recorded_fact(fact, RecommendationAdopted)
    if state.adopted is None:
        return _with(state, adopted=adoption)
    if adoption.data.text_version is None:
        return state
    return _with(state, adopted_anew=(*state.adopted_anew, adoption))


def _disposed(state: OnRecord, fact: Fact) -> OnRecord:
    data = fact.data
    assert isinstance(data, CommitteeDispositionRecorded)
    sent = state.transmission_before(data.session)
    disposition = Disposition(data=data, versions=fact.versions, transmission=sent.versions[0] if sent else None)
    return _with(state, disposed=(*state.disposed, disposition))


_CITES: tuple[type[Event], ...] = (MandateCited, MandateUncited, CitationReconfirmed)
_RELATES: tuple[type[Event], ...] = (
    RecommendationSuperseded,
    RecommendationMerged,
    RecommendationSplit,
    RecommendationWithdrawn,
)
_LISTS: dict[type[Event], str] = {
    RecommendationRevised: "revised",
    OriginRecorded: "origins",
    RecommendationDiscussed: "discussed",
    RecommendationCarried: "carried",
    FollowUpReported: "followed_up",
}


def _related(state: OnRecord, fact: Fact) -> OnRecord:
    match fact.data:
        case RecommendationSuperseded(by=by):
            changes: dict[str, Any] = {"superseded": (*state.superseded, recorded_fact(fact, RecommendationSuperseded))}
            closes = by is not None
        case RecommendationMerged(into=into):
            changes = {"merged": (*state.merged, recorded_fact(fact, RecommendationMerged))}
            closes = into is not None
        case RecommendationSplit(into=parts):
            changes = {"split": (*state.split, recorded_fact(fact, RecommendationSplit))}
            closes = parts is not None
        case _:
            changes, closes = {"withdrawn": recorded_fact(fact, RecommendationWithdrawn)}, True
    return _with(state, Closed, **changes) if closes else state.model_copy(update=changes)

"""A recommendation's states as types, and how its facts fold into them."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from services.recommendations.domain.recorded_fact import RecordedFact, recorded_fact
from shared.domain.aggregate import Fact
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
from shared.events.values import Model


class Citation(Model):
    """A provision cited, perhaps uncited since, perhaps reconfirmed against supersessions."""

    cited: RecordedFact[MandateCited]
    uncited: RecordedFact[MandateUncited] | None = None
    reconfirmed: tuple[RecordedFact[CitationReconfirmed], ...] = ()

    def is_of(self, instrument: str, provision: str) -> bool:
        """Tell whether it cites this provision."""
        return (self.cited.data.instrument, self.cited.data.provision) == (instrument, provision)

    def reconfirmed_against(self, instrument: str) -> RecordedFact[CitationReconfirmed] | None:
        """Return the reconfirmation that names this superseding instrument."""
        return next((item for item in self.reconfirmed if item.data.superseded_by == instrument), None)


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
    transmitted: tuple[RecordedFact[RecommendationTransmitted], ...] = ()
    disposed: tuple[RecordedFact[CommitteeDispositionRecorded], ...] = ()
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
    def priority(self) -> str | None:
        """The priority that it serves, as last revised."""
        revised = [item.data.priority for item in self.revised if item.data.priority]
        return revised[-1] if revised else self.drafted.data.priority


class Drafted(Recommendation):
    """It is a draft."""

    stage: Literal["drafted"] = "drafted"


class Adopted(Recommendation):
    """Its adoption is on record."""

    stage: Literal["adopted"] = "adopted"


class Transmitted(Recommendation):
    """It lies before a session of the Committee."""

    stage: Literal["transmitted"] = "transmitted"


class Disposed(Recommendation):
    """The Committee has dealt with it."""

    stage: Literal["disposed"] = "disposed"


class Closed(Recommendation):
    """It was superseded, merged, split or withdrawn."""

    stage: Literal["closed"] = "closed"


OnRecord: TypeAlias = Drafted | Adopted | Transmitted | Disposed | Closed
State: TypeAlias = Absent | OnRecord


def _to(stage: type[OnRecord], state: OnRecord, **changes: Any) -> OnRecord:
    """Move to a stage with changes; what is closed stays closed."""
    if isinstance(state, stage | Closed):
        return state.model_copy(update=changes)
    return stage(**{name: getattr(state, name) for name in Recommendation.model_fields} | changes)


def evolve(state: State, fact: Fact) -> State:
    """Fold one fact of a recommendation's stream."""
    kind = type(fact.data)
    if kind is RecommendationDrafted:
        return Drafted(drafted=recorded_fact(fact, RecommendationDrafted))
    if isinstance(state, Absent):
        return state
    if kind in _CITES:
        return state.model_copy(update={"citations": _cited(state.citations, fact)})
    if kind in _RELATES:
        return _related(state, fact)
    if kind is RecommendationAdopted:
        return _to(Adopted, state, adopted=recorded_fact(fact, kind)) if isinstance(state, Drafted) else state
    if kind not in _LISTS:
        return state
    name, stage = _LISTS[kind]
    change = {name: (*getattr(state, name), recorded_fact(fact, kind))}
    return _to(stage, state, **change) if stage else state.model_copy(update=change)


_CITES: tuple[type[Event], ...] = (MandateCited, MandateUncited, CitationReconfirmed)
_RELATES: tuple[type[Event], ...] = (
    RecommendationSuperseded,
    RecommendationMerged,
    RecommendationSplit,
    RecommendationWithdrawn,
)
_LISTS: dict[type[Event], tuple[str, type[Transmitted | Disposed] | None]] = {
    RecommendationRevised: ("revised", None),
    OriginRecorded: ("origins", None),
    RecommendationDiscussed: ("discussed", None),
    RecommendationTransmitted: ("transmitted", Transmitted),
    CommitteeDispositionRecorded: ("disposed", Disposed),
    RecommendationCarried: ("carried", None),
    FollowUpReported: ("followed_up", None),
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
    return _to(Closed, state, **changes) if closes else state.model_copy(update=changes)


def _cited(citations: tuple[Citation, ...], fact: Fact) -> tuple[Citation, ...]:
    match fact.data:
        case MandateCited():
            return (*citations, Citation(cited=recorded_fact(fact, MandateCited)))
        case MandateUncited(instrument=instrument, provision=provision):
            change: dict[str, Any] = {"uncited": recorded_fact(fact, MandateUncited)}
        case CitationReconfirmed(instrument=instrument, provision=provision):
            return tuple(
                c.model_copy(update={"reconfirmed": (*c.reconfirmed, recorded_fact(fact, CitationReconfirmed))})
                if c.uncited is None and c.is_of(instrument, provision)
                else c
                for c in citations
            )
        case _:
            return citations
    return tuple(
        c.model_copy(update=change) if c.uncited is None and c.is_of(instrument, provision) else c for c in citations
    )

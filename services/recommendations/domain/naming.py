"""The streams that a recommendation's commands, events and state name, and the refusal of a missing one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from services.recommendations import commands
from services.recommendations.domain import rules
from services.recommendations.domain.state import Recommendation, State
from shared.domain.aggregate import Command, Facts
from shared.domain.rejections import NotHeardYet, Rejection
from shared.events import recommendations as events
from shared.events.event import Event
from shared.events.values import Evidence

_UNKNOWN: dict[str, Callable[[str], Rejection]] = {
    "meeting": lambda key: NotHeardYet(f"meeting/{key}"),
    "session": lambda key: rules.NamesUnknownSession(int(key)),
    "priority": rules.NamesUnknownPriority,
    "deliverable": rules.NamesUnknownDeliverable,
    "instrument": rules.NamesUnknownInstrument,
    "recommendation": rules.NamesUnknownRecommendation,
}


def missing(command: Command, facts: Facts) -> Rejection | None:
    """Return the refusal of the first stream that a command names and that is not known."""
    if isinstance(command, commands.CiteMandate | commands.UnciteMandate | commands.ReconfirmCitation):
        return None
    for stream in sorted(_named(command) - facts.keys()):
        kind, _, key = stream.partition("/")
        return _UNKNOWN[kind](key)
    return None


def needs(state: State, command: Command) -> frozenset[str]:
    """Return the streams that a decision rests on: those that the command names, and the instruments cited so far."""
    streams = _named(command)
    if isinstance(command, commands.TransmitRecommendation) and isinstance(state, Recommendation):
        streams |= {f"instrument/{citation.cited.data.instrument}" for citation in state.citations}
    return frozenset(streams)


def names(event: Event) -> frozenset[str]:
    """Return the streams that an event of a recommendation names."""
    return frozenset(_named(event)) if isinstance(event, _EVENTS) else frozenset()


_EVENTS = (
    events.RecommendationDrafted,
    events.RecommendationRevised,
    events.MandateCited,
    events.MandateUncited,
    events.CitationReconfirmed,
    events.OriginRecorded,
    events.RecommendationDiscussed,
    events.RecommendationAdopted,
    events.RecommendationTransmitted,
    events.CommitteeDispositionRecorded,
    events.RecommendationCarried,
    events.FollowUpReported,
    events.RecommendationSuperseded,
    events.RecommendationMerged,
    events.RecommendationSplit,
)
_SINGLE = {"meeting": "meeting", "session": "session", "priority": "priority", "instrument": "instrument"}
_OTHERS = ("by", "supersedes", "into", "absorbs", "split_from")


@cache
def _naming_fields(kind: type[Command | Event]) -> tuple[tuple[str, str], ...]:
    """Return the fields of a class that name streams, each with the kind of stream."""
    kinds = {**_SINGLE, **dict.fromkeys(_OTHERS, "recommendation"), "evidence": ""}
    return tuple((name, kinds[name]) for name in kind.model_fields if name in kinds)


def _named(item: Command | Event) -> set[str]:
    """Return the streams that the fields of a command or event name."""
    streams: set[str] = set()
    for name, kind in _naming_fields(type(item)):
        match getattr(item, name):
            case None:
                continue
            case Evidence() as evidence:
                streams |= evidence_streams(evidence)
            case tuple() as keys:
                streams.update(f"{kind}/{key}" for key in keys)
            case key:
                streams.add(f"{kind}/{key}")
    return streams


def evidence_streams(evidence: Evidence) -> set[str]:
    """Return the stream that a piece of evidence names, if it names one."""
    named = {"meeting": evidence.meeting, "deliverable": evidence.deliverable, "session": evidence.session}
    return {f"{kind}/{key}" for kind, key in named.items() if key is not None}


def depends_on(state: State) -> frozenset[str]:
    """Return the streams that a recommendation's trace must read."""
    if not isinstance(state, Recommendation):
        return frozenset()
    streams = {f"instrument/{citation.cited.data.instrument}" for citation in state.citations}
    facts = (
        state.drafted,
        *state.revised,
        *state.origins,
        *state.discussed,
        *state.transmitted,
        *state.disposed,
        *state.carried,
        *state.followed_up,
    )
    for item in (*facts, *state.adoptions):
        streams |= _named(item.data)
    return frozenset(streams)

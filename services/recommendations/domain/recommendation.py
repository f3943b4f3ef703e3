"""A recommendation: its rules from draft to disposition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from services.recommendations import commands
from services.recommendations.commands import (
    AdoptRecommendation,
    CiteMandate,
    DiscussRecommendation,
    DraftRecommendation,
    ReconfirmCitation,
    RecordCarriage,
    RecordDisposition,
    RecordOrigin,
    ReportFollowUp,
    ReviseRecommendation,
    TransmitRecommendation,
    UnciteMandate,
)
from services.recommendations.domain import checks, committee, lineage, naming, rules, text_rules
from services.recommendations.domain.foreign import MeetingReplica
from services.recommendations.domain.provisions import as_facets
from services.recommendations.domain.registers import unknown_provision
from services.recommendations.domain.state import Absent, Adopted, Closed, Disposed, Drafted, State, Transmitted, evolve
from services.recommendations.domain.texts import adopted_numbers, chosen, judge_change, latest, texts_of
from services.recommendations.domain.waiting import of_recommendation
from shared.domain.aggregate import Aggregate, Command, Context, Decision, Facts, event_from
from shared.domain.rejections import OutOfOrder, Rejection
from shared.domain.visibility import ADOPTED, DRAFT
from shared.domain.voids import Void
from shared.domain.waiting import as_facet
from shared.events import recommendations as events
from shared.events.values import ProvisionRef, Seen

OnRecord = Drafted | Adopted | Transmitted | Disposed | Closed
Open = Drafted | Adopted | Transmitted | Disposed
_LINEAGE = (
    commands.SupersedeRecommendation,
    commands.MergeRecommendation,
    commands.SplitRecommendation,
    commands.WithdrawRecommendation,
    commands.NoteLineage,
)


def decide(state: State, command: Command, *, stream: str, facts: Facts, context: Context) -> Decision:
    """Decide on a command about a recommendation."""
    if (missing := naming.missing(command, facts)) is not None:
        return missing
    match state, command:
        case Absent(), DraftRecommendation():
            return [event_from(command, events.RecommendationDrafted)]
        case Drafted() | Adopted() | Transmitted() | Disposed() | Closed(), _ if isinstance(command, _LINEAGE):
            return lineage.decide(state, command, stream=stream)
        case Void(), commands.NoteLineage():
            return lineage.decide(state, command, stream=stream)
        case Drafted() | Adopted() | Transmitted() | Disposed(), _ if type(command) in _DECIDES:
            return _DECIDES[type(command)](state, command, stream, facts, context)
        case _:
            return OutOfOrder(type(command).__name__, stream, in_words(state))


def in_words(state: State) -> str:
    """Return the stage of a recommendation in words."""
    return "not on record" if isinstance(state, Absent) else state.stage


def _revise(state: Open, command: ReviseRecommendation, stream: str, *_: Any) -> Decision:
    texts = texts_of(state)
    before = latest(texts)
    unchanged = {name for name in ("title", "text") if getattr(command, name) in (None, getattr(before, name))}
    if len(unchanged) == 2:
        fields = command.model_dump(exclude_unset=True, exclude=unchanged | {"clerical"})
        return [events.RecommendationRevised.model_validate(fields)]
    if command.clerical and before.number not in adopted_numbers(state, texts):
        return text_rules.ClericalVersionFollowsNoAdoptedText(stream, before.number)
    if isinstance(state, Transmitted) and not command.clerical:
        return text_rules.TextIsBeforeTheCommittee(stream, state.transmitted[-1].data.session)
    fields = command.model_dump(exclude_unset=True, exclude=unchanged)
    return [events.RecommendationRevised.model_validate(fields)]


def _cite(state: Open, command: CiteMandate, stream: str, facts: Facts, _context: Context) -> Decision:
    ref = ProvisionRef(instrument=command.instrument, provision=command.provision)
    if (unknown := unknown_provision([ref], facts)) is not None:
        return unknown
    if state.citation_of(command.instrument, command.provision) is not None:
        return OutOfOrder("CiteMandate", stream, f"citing {command.provision} of {command.instrument} already")
    return [event_from(command, events.MandateCited)]


def _uncite(state: Open, command: UnciteMandate, stream: str, *_: Any) -> Decision:
    if state.citation_of(command.instrument, command.provision) is None:
        return rules.CitationNotOnRecord(stream, command.instrument, command.provision)
    return [event_from(command, events.MandateUncited)]


def _reconfirm(state: Open, command: ReconfirmCitation, stream: str, facts: Facts, _context: Context) -> Decision:
    if state.citation_of(command.instrument, command.provision) is None:
        return rules.CitationNotOnRecord(stream, command.instrument, command.provision)
    known = facts.get(f"instrument/{command.instrument}")
    if known is None or not known.state.superseded_by(command.superseded_by):
        return rules.ReconfirmsUnknownSupersession(command.instrument, command.superseded_by)
    return [event_from(command, events.CitationReconfirmed)]


def _origin(state: Open, command: RecordOrigin, stream: str, facts: Facts, _context: Context) -> Decision:
    return [event_from(command, events.OriginRecorded, seen=_seen(command.meeting, facts))]


def _discuss(state: Open, command: DiscussRecommendation, stream: str, facts: Facts, _context: Context) -> Decision:
    meeting: MeetingReplica = facts[f"meeting/{command.meeting}"].state
    on = meeting.starts_at[:10] if meeting.starts_at else None
    return [event_from(command, events.RecommendationDiscussed, on=on, seen=_seen(command.meeting, facts))]


def _adopt(state: Open, command: AdoptRecommendation, stream: str, facts: Facts, context: Context) -> Decision:
    texts = texts_of(state)
    text = chosen(texts, command.text_version, stream)
    if isinstance(text, Rejection):
        return text
    if text.number in adopted_numbers(state, texts):
        return OutOfOrder("AdoptRecommendation", stream, f"adopted with version {text.number} of its text already")
    if command.meeting is None:
        if command.status != "unknown" or command.note is None:
            return rules.AdoptionHasNoMeeting()
        if context.role != "secretariat":
            return rules.OnlySecretariatRecordsAnUnknownAdoption(context.role)
        return [event_from(command, events.RecommendationAdopted, text_version=text.number)]
    meeting: MeetingReplica = facts[f"meeting/{command.meeting}"].state
    if meeting.stage != "held":
        return rules.MeetingNotHeld(command.meeting, meeting.stage)
    if context.role == "chair" and command.outcome is None:
        return rules.ChairAdoptsOnADecision(command.meeting)
    on = command.adopted_on or _only_day(meeting)
    known = {"adopted_on": on, "text_version": text.number, "seen": _seen(command.meeting, facts)}
    return [event_from(command, events.RecommendationAdopted, **known)]


def _only_day(meeting: MeetingReplica) -> str | None:
    """Return the day of a one-day meeting; None for a longer one, whose day of adoption is unknown."""
    starts, ends = meeting.starts_at, meeting.ends_at
    return starts[:10] if starts and (ends is None or ends[:10] == starts[:10]) else None


def _carry(state: Open, command: RecordCarriage, *_: Any) -> Decision:
    return [event_from(command, events.RecommendationCarried)]


def _follow_up(state: Open, command: ReportFollowUp, *_: Any) -> Decision:
    return [event_from(command, events.FollowUpReported)]


def _seen(meeting: str | None, facts: Facts) -> Seen | None:
    stream = f"meeting/{meeting}"
    return Seen(stream=stream, version=facts[stream].version) if meeting else None


_DECIDES: dict[type[Command], Callable[..., Decision]] = {
    ReviseRecommendation: _revise,
    CiteMandate: _cite,
    UnciteMandate: _uncite,
    ReconfirmCitation: _reconfirm,
    RecordOrigin: _origin,
    DiscussRecommendation: _discuss,
    AdoptRecommendation: _adopt,
    TransmitRecommendation: committee.transmit,
    RecordDisposition: committee.dispose,
    RecordCarriage: _carry,
    ReportFollowUp: _follow_up,
}


def facets(state: State) -> dict[str, Any]:
    """Return the values that lists of recommendations filter on."""
    if isinstance(state, Void):
        return {"stage": state.stage, "phase": DRAFT}
    if isinstance(state, Absent):
        return {}
    return {
        "stage": state.stage,
        "phase": ADOPTED if state.adopted or state.transmitted or state.disposed else DRAFT,
        "priority": state.priority or "",
        "theme": list(state.drafted.data.themes),
        "rests_on": as_facets(citation.cited.data for citation in state.citations),
        "awaits": as_facet(of_recommendation(state)),
    }


RECOMMENDATION: Aggregate[State] = Aggregate(
    kind="recommendation",
    initial=Absent(),
    states=TypeAdapter(Annotated[State, Field(discriminator="stage")]),
    evolve=evolve,
    decide=decide,
    needs=naming.needs,
    names=naming.names,
    depends_on=naming.depends_on,
    facets=facets,
    judge_change=judge_change,
    judge_void=checks.judge_void,
    check=checks.check_recommendation,
    leads_to=checks.leads_to,
    checked_again=checks.CLOSES,
)

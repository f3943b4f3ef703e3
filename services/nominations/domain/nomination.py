"""A nomination: submitted, returned, accepted, declined, withdrawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from services.nominations.commands import (
    AcceptNomination,
    AmendNomination,
    DeclineNomination,
    ResubmitNomination,
    ReturnNomination,
    SubmitNomination,
    WithdrawNomination,
)
from services.nominations.domain.nomination_states import (
    Absent,
    Accepted,
    Nomination,
    Returned,
    Submitted,
    evolve,
    in_words,
    submitted_day,
)
from services.nominations.domain.rules import (
    NominationNamesUnknownCall,
    NominationReplacesUnknownMembership,
    OnlyMembersAndAssociateMembersNominate,
    OnlyTheMembersOwnGovernmentNominates,
    ReplacesAnotherMembersExpert,
)
from shared.domain.aggregate import Aggregate, Command, Context, Decision, Facts, event_from
from shared.domain.members import MEMBERS
from shared.domain.rejections import OutOfOrder, Rejection
from shared.domain.voids import Void
from shared.events.event import Event
from shared.events.nominations import (
    NominationAccepted,
    NominationAmended,
    NominationDeclined,
    NominationResubmitted,
    NominationReturned,
    NominationSubmitted,
    NominationWithdrawn,
)


def decide(state: Nomination, command: Command, *, stream: str, facts: Facts, context: Context) -> Decision:
    """Let a Government nominate, complete, amend and withdraw; let the secretariat return, register or decline."""
    if (refused := _for_another_government(state, command, stream, facts, context)) is not None:
        return refused
    match state, command:
        case Absent(), SubmitNomination():
            return _refused(command, facts) or [event_from(command, NominationSubmitted)]
        case Returned(), ResubmitNomination():
            return _replaces_unknown(command, facts) or [event_from(command, NominationResubmitted)]
        case Submitted(), ReturnNomination():
            return [event_from(command, NominationReturned)]
        case Submitted(), AmendNomination():
            return _replaces_unknown(command, facts) or [event_from(command, NominationAmended)]
        case Submitted(), AcceptNomination():
            return [event_from(command, NominationAccepted)]
        case Submitted() | Returned(), DeclineNomination():
            return [event_from(command, NominationDeclined)]
        case Submitted() | Returned() | Accepted(), WithdrawNomination():
            return [event_from(command, NominationWithdrawn)]
        case _:
            return OutOfOrder(type(command).__name__, stream, in_words(state))


def needs(_state: Nomination, command: Command) -> frozenset[str]:
    """Return the call and the membership that a nomination names."""
    if isinstance(command, SubmitNomination | ResubmitNomination | AmendNomination):
        return names(command)
    return frozenset()


def names(event: Event) -> frozenset[str]:
    """Return the streams that an event of a nomination names."""
    match event:
        case NominationSubmitted():
            named = (event.call and f"call/{event.call}", event.replaces and f"membership/{event.replaces}")
        case NominationResubmitted() | NominationAmended():
            named = (None, event.replaces and f"membership/{event.replaces}")
        case _:
            named = (None, None)
    return frozenset(stream for stream in named if stream)


def facets(state: Nomination) -> dict[str, Any]:
    """Return the values that lists of nominations filter on."""
    if isinstance(state, Void):
        return {"stage": state.stage, "member": state.member}
    if isinstance(state, Absent):
        return {"stage": state.stage}
    written = state.particulars.model_dump(
        include={"member", "call", "category", "capacity", "person"}, exclude_none=True
    )
    themes = list(state.particulars.themes)
    return {"stage": state.stage, **written, "theme": themes, "submitted": submitted_day(state)}


def _for_another_government(
    state: Nomination, command: Command, stream: str, facts: Facts, context: Context
) -> OnlyTheMembersOwnGovernmentNominates | None:
    """Hold a focal point to its own member, and to replacing its own member's expert."""
    members = {stream: state.member}
    if isinstance(state, Absent) and isinstance(command, SubmitNomination):
        members[stream] = command.member
    for named in needs(state, command):
        if named.startswith("membership/"):
            members[named] = facts[named].state.member if named in facts else None
    return refused_as_anothers(members, context)


def refused_as_anothers(
    members: Mapping[str, str | None], context: Context
) -> OnlyTheMembersOwnGovernmentNominates | None:
    """Refuse a focal point what is not of its own member, in the words for what is not on record (None)."""
    if context.role != "focal_point":
        return None
    others = (stream for stream, member in members.items() if member is None or member != context.member)
    return next(map(OnlyTheMembersOwnGovernmentNominates, others), None)


def _refused(command: SubmitNomination, facts: Facts) -> Rejection | None:
    if command.member not in MEMBERS:
        return OnlyMembersAndAssociateMembersNominate(command.member)
    if command.call is not None:
        call = facts.get(f"call/{command.call}")
        if call is None:
            return NominationNamesUnknownCall(command.call)
        if call.state.stage != "open":
            return OutOfOrder("SubmitNomination", f"call/{command.call}", call.state.stage)
    return _replaces_unknown(command, facts)


def _replaces_unknown(
    command: SubmitNomination | ResubmitNomination | AmendNomination, facts: Facts
) -> Rejection | None:
    if command.replaces is not None and f"membership/{command.replaces}" not in facts:
        return NominationReplacesUnknownMembership(command.replaces)
    return None


def check(state: Nomination, event: Event, *, facts: Facts, **_: object) -> Rejection | None:
    """Refuse a nomination that would replace an expert of another member, whoever submits or corrects it."""
    match event:
        case NominationSubmitted(member=member, replaces=str(replaced)):
            return replaces_another_members(member, replaced, facts)
        case NominationResubmitted(replaces=str(replaced)) | NominationAmended(replaces=str(replaced)) if (
            not isinstance(state, Absent | Void)
        ):
            return replaces_another_members(state.member, replaced, facts)
        case _:
            return None


def replaces_another_members(member: str, replaced: str, facts: Facts) -> ReplacesAnotherMembersExpert | None:
    """Return the refusal of a replacement whose membership is another member's."""
    known = facts.get(f"membership/{replaced}")
    other = known.state.member if known else None
    return ReplacesAnotherMembersExpert("replaces", replaced, other, member) if other and other != member else None


NOMINATION: Aggregate[Nomination] = Aggregate(
    kind="nomination",
    initial=Absent(),
    states=TypeAdapter(Annotated[Nomination, Field(discriminator="stage")]),
    evolve=evolve,
    decide=decide,
    needs=needs,
    names=names,
    facets=facets,
    check=check,
)

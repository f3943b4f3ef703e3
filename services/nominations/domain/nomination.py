"""A nomination: submitted, returned, accepted, declined, withdrawn."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from services.nominations.commands import (
    AcceptNomination,
    DeclineNomination,
    ResubmitNomination,
    ReturnNomination,
    SubmitNomination,
    WithdrawNomination,
)
from services.nominations.domain.rules import (
    NominationNamesUnknownCall,
    NominationReplacesUnknownMembership,
    OnlyMembersAndAssociateMembersNominate,
    OnlyTheMembersOwnGovernmentNominates,
    ReplacesAnotherMembersExpert,
)
from shared.domain.aggregate import Aggregate, Command, Context, Decision, Facts, event_from
from shared.domain.facts import Fact
from shared.domain.members import MEMBERS
from shared.domain.rejections import OutOfOrder, Rejection
from shared.domain.voids import Void
from shared.events.event import Event
from shared.events.nominations import (
    NominationAccepted,
    NominationDeclined,
    NominationResubmitted,
    NominationReturned,
    NominationSubmitted,
    NominationWithdrawn,
)
from shared.events.values import Model, WorldDate


class Absent(Model):
    """No nomination of this id is on record."""

    stage: Literal["absent"] = "absent"
    member: None = None


class _OnRecord(Model):
    """`particulars` is the nomination as it now stands, a later resubmission included."""

    particulars: NominationSubmitted
    versions: tuple[int, ...]

    @property
    def member(self) -> str:
        """The member whose Government nominates."""
        return self.particulars.member


class Submitted(_OnRecord):
    """It waits for the secretariat."""

    stage: Literal["submitted"] = "submitted"
    resubmitted_on: WorldDate | None = None


class Returned(_OnRecord):
    """It waits for the Government."""

    stage: Literal["returned"] = "returned"
    returned: NominationReturned


class Accepted(_OnRecord):
    """It is registered."""

    stage: Literal["accepted"] = "accepted"
    accepted: NominationAccepted


class Declined(_OnRecord):
    """It is not registered, on the ground named."""

    stage: Literal["declined"] = "declined"
    declined: NominationDeclined


class Withdrawn(_OnRecord):
    """The Government took it back."""

    stage: Literal["withdrawn"] = "withdrawn"
    withdrawn: NominationWithdrawn


Nomination: TypeAlias = Absent | Void | Submitted | Returned | Accepted | Declined | Withdrawn


def evolve(state: Nomination, fact: Fact) -> Nomination:
    """Fold one fact of a nomination's stream."""
    if isinstance(fact.data, NominationSubmitted):
        return Submitted(particulars=fact.data, versions=fact.versions)
    if isinstance(state, Absent | Void):
        return state
    particulars, versions = state.particulars, state.versions + fact.versions
    match fact.data:
        case NominationReturned() as returned:
            return Returned(particulars=particulars, versions=versions, returned=returned)
        case NominationResubmitted() as again:
            particulars = _completed(particulars, again)
            return Submitted(particulars=particulars, versions=versions, resubmitted_on=again.resubmitted_on)
        case NominationAccepted() as accepted:
            return Accepted(particulars=particulars, versions=versions, accepted=accepted)
        case NominationDeclined() as declined:
            return Declined(particulars=particulars, versions=versions, declined=declined)
        case NominationWithdrawn() as withdrawn:
            return Withdrawn(particulars=particulars, versions=versions, withdrawn=withdrawn)
        case _:
            return state


def decide(state: Nomination, command: Command, *, stream: str, facts: Facts, context: Context) -> Decision:
    """Let a Government nominate, complete and withdraw; let the secretariat return, register or decline."""
    if (refused := _for_another_government(state, command, facts, context)) is not None:
        return refused
    match state, command:
        case Absent(), SubmitNomination():
            return _refused(command, facts) or [event_from(command, NominationSubmitted)]
        case Returned(), ResubmitNomination():
            return _replaces_unknown(command, facts) or [event_from(command, NominationResubmitted)]
        case Submitted(), ReturnNomination():
            return [event_from(command, NominationReturned)]
        case Submitted(), AcceptNomination():
            return [event_from(command, NominationAccepted)]
        case Submitted() | Returned(), DeclineNomination():
            return [event_from(command, NominationDeclined)]
        case Submitted() | Returned() | Accepted(), WithdrawNomination():
            return [event_from(command, NominationWithdrawn)]
        case _:
            return OutOfOrder(type(command).__name__, stream, in_words(state))


def in_words(state: Nomination) -> str:
    """Return the stage of a nomination in words."""
    return "not on record" if isinstance(state, Absent) else state.stage


def needs(_state: Nomination, command: Command) -> frozenset[str]:
    """Return the call and the membership that a nomination names."""
    if isinstance(command, SubmitNomination | ResubmitNomination):
        return names(command)
    return frozenset()


def names(event: Event) -> frozenset[str]:
    """Return the streams that an event of a nomination names."""
    match event:
        case NominationSubmitted():
            named = (event.call and f"call/{event.call}", event.replaces and f"membership/{event.replaces}")
        case NominationResubmitted():
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
    return {"stage": state.stage, **written, "theme": list(state.particulars.themes)}


def _for_another_government(
    state: Nomination, command: Command, facts: Facts, context: Context
) -> OnlyTheMembersOwnGovernmentNominates | None:
    """Hold a focal point to its own member, and to replacing its own member's expert."""
    if context.role != "focal_point":
        return None
    concerned = [state.member] if state.member is not None else []
    if isinstance(command, SubmitNomination):
        concerned.append(command.member)
    concerned += [known.state.member for stream, known in facts.items() if stream.startswith("membership/")]
    others = [member for member in concerned if member != context.member]
    return OnlyTheMembersOwnGovernmentNominates(others[0]) if others else None


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


def _replaces_unknown(command: SubmitNomination | ResubmitNomination, facts: Facts) -> Rejection | None:
    if command.replaces is not None and f"membership/{command.replaces}" not in facts:
        return NominationReplacesUnknownMembership(command.replaces)
    return None


def check(state: Nomination, event: Event, *, facts: Facts, **_: object) -> Rejection | None:
    """Refuse a nomination that would replace an expert of another member, whoever submits or corrects it."""
    match event:
        case NominationSubmitted(member=member, replaces=str(replaced)):
            return replaces_another_members(member, replaced, facts)
        case NominationResubmitted(replaces=str(replaced)) if not isinstance(state, Absent | Void):
            return replaces_another_members(state.member, replaced, facts)
        case _:
            return None


def replaces_another_members(member: str, replaced: str, facts: Facts) -> ReplacesAnotherMembersExpert | None:
    """Return the refusal of a replacement whose membership is another member's."""
    known = facts.get(f"membership/{replaced}")
    other = known.state.member if known else None
    return ReplacesAnotherMembersExpert("replaces", replaced, other, member) if other and other != member else None


def _completed(particulars: NominationSubmitted, again: NominationResubmitted) -> NominationSubmitted:
    """Put the resubmission's fields in the place of the submission's."""
    shared = type(again).model_fields.keys() & type(particulars).model_fields.keys()
    return particulars.model_copy(
        update={name: getattr(again, name) for name in shared} | {"person": again.sealed.person}
    )


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

"""A membership of the group: begun when a nomination was accepted, and ended."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from services.nominations.commands import BeginMembership, ChangeExpertDetails, EndMembership
from services.nominations.domain.nomination import refused_as_anothers, replaces_another_members
from services.nominations.domain.nomination_states import Accepted, Nomination, Withdrawn, in_words
from services.nominations.domain.rules import (
    ChangedOutsideMembership,
    ChangesNothing,
    MembershipReplacesItself,
    MembershipRestsOnUnknownNomination,
)
from shared.domain.aggregate import Aggregate, Command, Context, Decision, Facts, event_from
from shared.domain.facts import Fact
from shared.domain.rejections import OutOfOrder, Rejection
from shared.domain.single_facts import is_before
from shared.domain.voids import Void
from shared.events.event import Event
from shared.events.nominations import (
    ExpertDetailsChanged,
    MembershipBegan,
    MembershipEnded,
    RecordCorrected,
    RecordVoided,
)
from shared.events.values import Model


class Absent(Model):
    """No membership of this id is on record."""

    stage: Literal["absent"] = "absent"
    member: None = None


class DetailsChange(Model):
    """A change of the expert's details, and the versions behind it."""

    change: ExpertDetailsChanged
    versions: tuple[int, ...]


class _OnRecord(Model):
    """`began_by` and `ended_by` are the last days that the dates may mean, where they are not said.

    What was recorded had happened by the day of its record; of a corrected event nothing is known of that day.
    """

    began: MembershipBegan
    versions: tuple[int, ...]
    began_by: str | None = None
    changes: tuple[DetailsChange, ...] = ()

    @property
    def member(self) -> str:
        """The member whose Government nominated the expert."""
        return self.began.member


class Active(_OnRecord):
    """The expert belongs to the group."""

    stage: Literal["active"] = "active"


class Ended(_OnRecord):
    """The expert no longer belongs to the group."""

    stage: Literal["ended"] = "ended"
    ended: MembershipEnded
    ended_by: str | None = None


Membership: TypeAlias = Absent | Void | Active | Ended


def evolve(state: Membership, fact: Fact) -> Membership:
    """Fold one fact of a membership's stream."""
    match state, fact.data:
        case _, MembershipBegan() as began:
            return Active(began=began, versions=fact.versions, began_by=_day_by(fact))
        case Active() | Ended(), ExpertDetailsChanged() as change:
            changes = (*state.changes, DetailsChange(change=change, versions=fact.versions))
            return state.model_copy(update={"changes": changes, "versions": state.versions + fact.versions})
        case Active() | Ended(), MembershipEnded() as ended:
            stored = {"began": state.began, "began_by": state.began_by, "changes": state.changes}
            versions = state.versions + fact.versions
            return Ended(**stored, versions=versions, ended=ended, ended_by=_day_by(fact))
        case _:
            return state


def _day_by(fact: Fact) -> str | None:
    """Return the day by which a fact had happened, as its record says; None of one that was corrected later."""
    return fact.time[:10] if len(fact.versions) == 1 else None


def decide(state: Membership, command: Command, *, stream: str, facts: Facts, context: Context) -> Decision:
    """Begin a membership from an accepted nomination, change its expert's details, end one that is active."""
    if (refused := refused_as_anothers({stream: state.member}, context)) is not None:
        return refused
    match state, command:
        case Absent(), BeginMembership():
            began = _begin(command, stream, facts)
            return began if isinstance(began, Rejection) else [began]
        case Void(), BeginMembership():
            began = _begin(command, stream, facts)
            return began if isinstance(began, Rejection) else _begun_again(state, began)
        case Active() | Ended(), ChangeExpertDetails():
            return [event_from(command, ExpertDetailsChanged)]
        case Active(), EndMembership():
            return [event_from(command, MembershipEnded)]
        case Void(), EndMembership() if context.role == "system":
            return [event_from(command, MembershipEnded)]
        case _:
            stage = "not on record" if isinstance(state, Absent) else state.stage
            return OutOfOrder(type(command).__name__, stream, stage)


def needs(_state: Membership, command: Command) -> frozenset[str]:
    """Return the nomination that a membership begins from."""
    return frozenset({f"nomination/{command.nomination}"}) if isinstance(command, BeginMembership) else frozenset()


def names(event: Event) -> frozenset[str]:
    """Return the streams that an event of a membership names."""
    if not isinstance(event, MembershipBegan):
        return frozenset()
    replaced = {f"membership/{event.replaces}"} if event.replaces else set()
    return frozenset({f"nomination/{event.nomination}"} | replaced)


def facets(state: Membership) -> dict[str, Any]:
    """Return the values that lists of memberships filter on."""
    if isinstance(state, Void):
        return {"stage": state.stage, "member": state.member}
    if isinstance(state, Absent):
        return {"stage": state.stage}
    replaces = {"keys": [state.began.replaces]} if state.began.replaces else {}
    written = state.began.model_dump(include={"member", "person", "nomination", "capacity"})
    return {"stage": state.stage, **written, **replaces}


def _begin(command: BeginMembership, stream: str, facts: Facts) -> MembershipBegan | Rejection:
    """Take person, member and capacity from the nomination, never from the command."""
    nomination = f"nomination/{command.nomination}"
    if nomination not in facts:
        return MembershipRestsOnUnknownNomination(command.nomination)
    state = facts[nomination].state
    if not isinstance(state, Accepted):
        return OutOfOrder("BeginMembership", nomination, in_words(state))
    written = state.particulars
    return event_from(
        command,
        MembershipBegan,
        membership=stream.partition("/")[2],
        person=written.person,
        member=written.member,
        capacity=written.capacity,
        replaces=written.replaces,
    )


def _begun_again(state: Void, began: MembershipBegan) -> Decision:
    """Let a void membership hold again, with what its nomination says now: it has the id of its nomination for ever."""
    reason = "The nomination was accepted again."
    data = began.model_dump(mode="json", exclude_none=True)
    return [
        RecordVoided(voids=state.versions[-1], reason=reason),
        RecordCorrected(corrects=1, data=data, data_type=began.type_name(), reason=reason),
    ]


def gaps_of(state: Membership, nomination: Nomination) -> list[str]:
    """Return, in words, that a membership stays on record although the acceptance from which it began is void."""
    if isinstance(state, Absent | Void) or isinstance(nomination, Accepted | Withdrawn):
        return []
    key, stage = state.began.nomination, in_words(nomination)
    return [f"It began when the nomination {key} was accepted, and that acceptance is void: the nomination is {stage}."]


def check(state: Membership, event: Event, *, facts: Facts, **_: object) -> Rejection | None:
    """Refuse that a membership replaces one of another member, or itself, and a change of details beside it."""
    match event:
        case MembershipBegan(membership=own, replaces=replaced) if replaced == own:
            return MembershipReplacesItself("replaces", own)
        case MembershipBegan(member=member, replaces=str(replaced)):
            return replaces_another_members(member, replaced, facts)
        case ExpertDetailsChanged():
            return _changes_nothing(event) or _changed_outside(state, event)
        case _:
            return None


def _changes_nothing(event: ExpertDetailsChanged) -> Rejection | None:
    stated = event.model_dump(include={"sealed", "institution", "category", "expertise", "themes"}, exclude_none=True)
    return None if stated else ChangesNothing("changed_on")


def _changed_outside(state: Membership, event: ExpertDetailsChanged) -> Rejection | None:
    if isinstance(state, Absent | Void):
        return None
    on, began, ended = (
        event.changed_on,
        state.began.began_on,
        state.ended.ended_on if isinstance(state, Ended) else None,
    )
    if began is not None and is_before(on, began):
        return ChangedOutsideMembership("changed_on", on, "before the beginning", began)
    if ended is not None and is_before(ended, on):
        return ChangedOutsideMembership("changed_on", on, "after the end", ended)
    return None


MEMBERSHIP: Aggregate[Membership] = Aggregate(
    kind="membership",
    initial=Absent(),
    states=TypeAdapter(Annotated[Membership, Field(discriminator="stage")]),
    evolve=evolve,
    decide=decide,
    needs=needs,
    names=names,
    facets=facets,
    check=check,
)

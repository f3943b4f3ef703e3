"""A membership of the group: begun when a nomination was accepted, and ended."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from services.nominations.commands import BeginMembership, EndMembership
from services.nominations.domain.nomination import (
    Accepted,
    Nomination,
    Withdrawn,
    in_words,
    replaces_another_members,
)
from services.nominations.domain.rules import MembershipReplacesItself, MembershipRestsOnUnknownNomination
from shared.domain.aggregate import Aggregate, Command, Context, Decision, Facts, event_from
from shared.domain.facts import Fact
from shared.domain.rejections import OutOfOrder, Rejection
from shared.domain.voids import Void
from shared.events.event import Event
from shared.events.nominations import MembershipBegan, MembershipEnded, RecordCorrected, RecordVoided
from shared.events.values import Model


class Absent(Model):
    """No membership of this id is on record."""

    stage: Literal["absent"] = "absent"
    member: None = None


class _OnRecord(Model):
    began: MembershipBegan
    versions: tuple[int, ...]

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


Membership: TypeAlias = Absent | Void | Active | Ended


def evolve(state: Membership, fact: Fact) -> Membership:
    """Fold one fact of a membership's stream."""
    match state, fact.data:
        case _, MembershipBegan() as began:
            return Active(began=began, versions=fact.versions)
        case Active() | Ended(), MembershipEnded() as ended:
            return Ended(began=state.began, ended=ended, versions=state.versions + fact.versions)
        case _:
            return state


def decide(state: Membership, command: Command, *, stream: str, facts: Facts, context: Context) -> Decision:
    """Begin a membership from an accepted nomination, end one that is active."""
    match state, command:
        case Absent(), BeginMembership():
            began = _begin(command, stream, facts)
            return began if isinstance(began, Rejection) else [began]
        case Void(), BeginMembership():
            began = _begin(command, stream, facts)
            return began if isinstance(began, Rejection) else _begun_again(state, began)
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


def check(_state: Membership, event: Event, *, facts: Facts, **_: object) -> Rejection | None:
    """Refuse that a membership replaces one of another member, or itself."""
    match event:
        case MembershipBegan(membership=own, replaces=replaced) if replaced == own:
            return MembershipReplacesItself("replaces", own)
        case MembershipBegan(member=member, replaces=str(replaced)):
            return replaces_another_members(member, replaced, facts)
        case _:
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

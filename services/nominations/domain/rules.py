"""The rules of nominations, each a refusal with a sentence for a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shared.domain.rejections import Rejection, RuleKind, UnknownReference
from shared.domain.single_facts import FactRefused


@dataclass(frozen=True)
class OnlyMembersAndAssociateMembersNominate(Rejection):
    """All members and associate members are eligible, and nobody else."""

    kind: ClassVar[RuleKind] = "note"
    paragraph: ClassVar[str | None] = "20-21"
    says: ClassVar[str] = (
        "{member} is neither a member nor an associate member of ESCAP: give the ISO 3166-1 alpha-3 code"
    )

    member: str


@dataclass(frozen=True)
class OnlyTheMembersOwnGovernmentNominates(Rejection):
    """The members of the group are nominated by their respective Governments."""

    kind: ClassVar[RuleKind] = "note"
    paragraph: ClassVar[str | None] = "20"
    withholds: ClassVar[bool] = True
    says: ClassVar[str] = (
        "{stream} is not of your Government, or is not on record: check the id; a focal point acts for its own member "
        "alone"
    )

    stream: str


@dataclass(frozen=True)
class NominationNamesUnknownCall(UnknownReference):
    """A nomination under a call names one that is on record."""

    says: ClassVar[str] = "call/{call} is not on record: open the call first, or leave it out"

    call: str


@dataclass(frozen=True)
class NominationReplacesUnknownMembership(UnknownReference):
    """A nomination that replaces a membership names one that is on record."""

    says: ClassVar[str] = "membership/{membership} is not on record: check the id, or leave `replaces` out"

    membership: str


@dataclass(frozen=True)
class MembershipRestsOnUnknownNomination(UnknownReference):
    """A membership begins from a nomination that is on record."""

    says: ClassVar[str] = "nomination/{nomination} is not on record"

    nomination: str


@dataclass(frozen=True)
class ReplacesAnotherMembersExpert(FactRefused):
    """A Government nominates its own experts, and ends no membership but theirs."""

    kind: ClassVar[RuleKind] = "note"
    paragraph: ClassVar[str | None] = "20"
    says: ClassVar[str] = (
        "{field}: membership/{membership} is of {other}, and a nomination of {member} replaces none but its own: "
        "name another membership, or leave `replaces` out"
    )

    membership: str
    other: str
    member: str


@dataclass(frozen=True)
class MembershipReplacesItself(FactRefused, UnknownReference):
    """A membership replaces an earlier one."""

    says: ClassVar[str] = "{field}: membership/{membership} does not replace itself: name the earlier one"

    membership: str


@dataclass(frozen=True)
class ChangesNothing(FactRefused):
    """A change of details states at least one of them."""

    says: ClassVar[str] = (
        "{field}: nothing is stated to have changed: give at least one of details, institution, category, expertise, "
        "themes"
    )


@dataclass(frozen=True)
class ChangedOutsideMembership(FactRefused):
    """Details change while the expert is a member of the group."""

    says: ClassVar[str] = (
        "{field} {on} is {beyond} of the membership, {limit}: correct the day, or the membership; before it, amend or "
        "resubmit the nomination"
    )

    on: str
    beyond: str
    limit: str

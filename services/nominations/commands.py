"""Commands of the nominations service."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from shared.domain.aggregate import Command
from shared.events.nominations import (
    CallForNominationsClosed,
    CallForNominationsOpened,
    ExpertDetailsChanged,
    MembershipEnded,
    NominationAccepted,
    NominationAmended,
    NominationDeclined,
    NominationResubmitted,
    NominationReturned,
    NominationSubmitted,
    NominationWithdrawn,
)
from shared.events.values import Id, Member, Model, NoteVerbale, ShortText, Text, WorldDate
from shared.events.words import Capacity, Category, Status

SEALED_BYTES = 29_000


class OpenCall(Command, CallForNominationsOpened):
    """Ask Governments for nominations."""


class CloseCall(Command, CallForNominationsClosed):
    """Take no more nominations under the call."""

    uses_reserve: ClassVar[bool] = True


class PersonDetails(Model):
    """A person, in plain text: encrypted before anything is decided or stored."""

    name: ShortText = Field(examples=["Synthetic Expert"])
    contact: ShortText = Field(examples=["synthetic.expert@example.org"])
    about: Text | None = None

    @model_validator(mode="after")
    def _fits_when_encrypted(self) -> Self:
        size = len(self.model_dump_json(exclude_none=True).encode())
        if size > SEALED_BYTES:
            raise ValueError(f"is {size} bytes, the limit is {SEALED_BYTES}: shorten `about`")
        return self


class NominationRequest(Command):
    """The fields of a nomination, as a Government submits or completes it."""

    person: Id | None = Field(None, description="the expert's opaque id; left out: given here, or the same as before")
    details: PersonDetails
    note_verbale: NoteVerbale
    institution: ShortText
    category: Category
    expertise: tuple[ShortText, ...] = ()
    themes: tuple[ShortText, ...] = ()
    capacity: Capacity = "principal"
    replaces: Id | None = Field(None, description="the membership that this one would replace")
    note: Text | None = None
    source: ShortText | None = None
    status: Status | None = None


class SubmitNominationRequest(NominationRequest):
    """Nominate an expert, as a Government writes it."""

    nomination: Id | None = None
    call: Id | None = None
    member: Member
    submitted_on: WorldDate | None = None


class ResubmitNominationRequest(NominationRequest):
    """Complete a nomination that was returned, as a Government writes it."""

    resubmitted_on: WorldDate | None = None


class AmendNominationRequest(NominationRequest):
    """Change a nomination that was not decided on yet, as a Government writes it: the whole of it."""

    amended_on: WorldDate | None = None


class ChangeExpertDetailsRequest(Command):
    """Record what changed about a member of the group, and on what day; what is left out stays as it was."""

    changed_on: WorldDate
    details: PersonDetails | None = None
    institution: ShortText | None = None
    category: Category | None = None
    expertise: tuple[ShortText, ...] | None = None
    themes: tuple[ShortText, ...] | None = None
    note: Text | None = None
    source: ShortText | None = None
    status: Status | None = None


class SubmitNomination(Command, NominationSubmitted):
    """Nominate an expert; personal data is sealed."""


class ReturnNomination(Command, NominationReturned):
    """Ask the Government to complete its nomination."""


class ResubmitNomination(Command, NominationResubmitted):
    """Complete a nomination that was returned; personal data is sealed."""


class AmendNomination(Command, NominationAmended):
    """Change a nomination that was not decided on yet; personal data is sealed."""


class AcceptNomination(Command, NominationAccepted):
    """Register the nomination."""


class DeclineNomination(Command, NominationDeclined):
    """Do not register the nomination, on a named ground."""

    uses_reserve: ClassVar[bool] = True


class WithdrawNomination(Command, NominationWithdrawn):
    """Take the nomination back."""

    uses_reserve: ClassVar[bool] = True


class BeginMembership(Command):
    """Make the expert of an accepted nomination a member of the group; only a policy issues it."""

    nomination: Id
    began_on: WorldDate | None = None


class ChangeExpertDetails(Command, ExpertDetailsChanged):
    """Record what changed about a member of the group; personal data is sealed."""


class EndMembership(Command, MembershipEnded):
    """End a membership."""

    uses_reserve: ClassVar[bool] = True


class EraseExpert(Command):
    """Destroy the key of an expert, for good: nobody will open what was sealed of the person."""

    uses_reserve: ClassVar[bool] = True

    reason: Text = Field(description="on what ground; never about the person", examples=["Request of the person"])
    note: Text | None = None
    source: ShortText | None = None
    status: Status | None = None

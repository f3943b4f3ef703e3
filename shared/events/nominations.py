"""Events of the nominations service: calls, nominations, memberships."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from shared.events.event import Correction, Event, Voiding
from shared.events.values import Id, Member, NoteVerbale, Sealed, ShortText, Text, WorldDate
from shared.events.words import Capacity, Category, DeclineGround, MembershipEnd


class _Nominations(Event):
    service: ClassVar[str] = "nominations"


class CallForNominationsOpened(_Nominations):
    """The secretariat asked Governments for nominations."""

    fixed: ClassVar[frozenset[str]] = frozenset({"call"})
    begins: ClassVar[tuple[str, str] | None] = ("call", "call")

    call: Id
    title: ShortText
    opened_on: WorldDate | None = None
    closes_on: WorldDate | None = None
    themes: tuple[ShortText, ...] = ()


class CallForNominationsClosed(_Nominations):
    """The call takes no more nominations."""

    closed_on: WorldDate | None = None


class NominationSubmitted(_Nominations):
    """A Government named an expert."""

    fixed: ClassVar[frozenset[str]] = frozenset({"nomination", "call", "member", "person", "sealed"})
    begins: ClassVar[tuple[str, str] | None] = ("nomination", "nomination")

    nomination: Id
    call: Id | None = None
    member: Member
    note_verbale: NoteVerbale
    person: Id
    sealed: Sealed = Field(description="name, contact and free text about the person, encrypted")
    institution: ShortText
    category: Category
    expertise: tuple[ShortText, ...] = ()
    themes: tuple[ShortText, ...] = ()
    capacity: Capacity = "principal"
    replaces: Id | None = Field(None, description="the membership that this one would replace")
    submitted_on: WorldDate | None = None


class NominationReturned(_Nominations):
    """The secretariat asked the Government to complete its nomination."""

    reason: Text = Field(description="what is missing; never about the person")
    returned_on: WorldDate | None = None


class NominationResubmitted(_Nominations):
    """The Government completed its nomination: the whole of it, as it now stands."""

    fixed: ClassVar[frozenset[str]] = frozenset({"sealed"})

    note_verbale: NoteVerbale
    sealed: Sealed
    institution: ShortText
    category: Category
    expertise: tuple[ShortText, ...] = ()
    themes: tuple[ShortText, ...] = ()
    capacity: Capacity = "principal"
    replaces: Id | None = None
    resubmitted_on: WorldDate | None = None


class NominationAmended(_Nominations):
    """The Government changed its nomination before it was decided on: the whole of it, as it now stands."""

    fixed: ClassVar[frozenset[str]] = frozenset({"sealed"})

    note_verbale: NoteVerbale
    sealed: Sealed
    institution: ShortText
    category: Category
    expertise: tuple[ShortText, ...] = ()
    themes: tuple[ShortText, ...] = ()
    capacity: Capacity = "principal"
    replaces: Id | None = None
    amended_on: WorldDate | None = None


class NominationAccepted(_Nominations):
    """The nomination was registered."""

    accepted_on: WorldDate | None = None


class NominationDeclined(_Nominations):
    """The nomination was not registered, on a named ground."""

    ground: DeclineGround
    declined_on: WorldDate | None = None


class NominationWithdrawn(_Nominations):
    """The Government took its nomination back."""

    withdrawn_on: WorldDate | None = None


class MembershipBegan(_Nominations):
    """An expert became a member of the group."""

    fixed: ClassVar[frozenset[str]] = frozenset({"membership", "nomination", "person", "member"})
    begins: ClassVar[tuple[str, str] | None] = ("membership", "membership")

    membership: Id
    nomination: Id
    person: Id
    member: Member
    capacity: Capacity = "principal"
    replaces: Id | None = None
    began_on: WorldDate | None = None


class ExpertDetailsChanged(_Nominations):
    """A member's particulars changed on a day; what is left out stayed as it was."""

    describes: ClassVar[bool] = True
    fixed: ClassVar[frozenset[str]] = frozenset({"sealed"})

    changed_on: WorldDate
    sealed: Sealed | None = None
    institution: ShortText | None = None
    category: Category | None = None
    expertise: tuple[ShortText, ...] | None = None
    themes: tuple[ShortText, ...] | None = None


class MembershipEnded(_Nominations):
    """An expert is no longer a member of the group."""

    reason: MembershipEnd
    ended_on: WorldDate | None = None


class ExpertErased(_Nominations):
    """The key to an expert's sealed details was destroyed; recorded events are unchanged."""

    voidable: ClassVar[bool] = False
    fixed: ClassVar[frozenset[str]] = frozenset({"person"})
    begins: ClassVar[tuple[str, str] | None] = ("expert", "person")

    person: Id
    reason: Text = Field(description="on what ground; never about the person")


class RecordCorrected(Correction, _Nominations):
    """An earlier event of this stream was wrong; this is its whole new data."""


class RecordVoided(Voiding, _Nominations):
    """An earlier event of this stream should not have been recorded: the stream is folded without it."""

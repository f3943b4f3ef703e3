"""Commands of the recommendations service."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from shared.domain.aggregate import Command
from shared.domain.slugs import slug
from shared.events import recommendations as events
from shared.events.values import (
    Id,
    ProvisionRef,
    Reference,
    SessionNumber,
    ShortText,
    Text,
    WorldDate,
)
from shared.events.words import Status


class RegisterInstrument(Command, events.InstrumentRegistered):
    """Enter a resolution, decision or declaration in the register."""


class RegisterProvision(Command, events.ProvisionRegistered):
    """Register what a paragraph of the instrument asks, and of whom."""


class DischargeReportingDuty(Command, events.ReportingDutyDischarged):
    """Record that the report that a provision asked for was given."""


class SupersedeInstrument(Command, events.InstrumentSuperseded):
    """Record that a later instrument took this one's place."""

    uses_reserve: ClassVar[bool] = True


class ReaffirmInstrument(Command, events.InstrumentReaffirmed):
    """Record that a later instrument reaffirmed this one."""


class CarryInstrument(Command, events.InstrumentCarried):
    """Record that another instrument carried this one."""


class EndorseInstrument(Command, events.InstrumentEndorsed):
    """Record that a higher body endorsed this instrument."""


class NoteDoubleRegistration(Command):
    """Note that another instrument has the same citation or symbol; only a policy issues it."""

    uses_reserve: ClassVar[bool] = True

    other: Id


class RecordCommitteeSession(Command, events.CommitteeSessionRecorded):
    """Record a session of the Committee."""


class RecordBodySession(Command):
    """Record a session of another body than the Committee, on which reporting duties may fall due."""

    body: ShortText = Field(description="as reporting duties name it", examples=["Commission"])
    session: SessionNumber
    starts_on: WorldDate | None = None
    ends_on: WorldDate | None = None
    note: Text | None = None
    source: ShortText | None = None
    status: Status | None = None

    @property
    def key(self) -> str:
        """The id of the session, made of body and number."""
        return f"{slug(self.body)}-{self.session}"


class SelectPriority(Command):
    """Record a priority that the group selected, with its outcome and timeline."""

    priority: Id
    title: ShortText
    themes: tuple[ShortText, ...] = ()
    outcome: Text
    timeline_from: WorldDate | None = None
    timeline_to: WorldDate
    provisions: tuple[ProvisionRef, ...] = ()
    meeting: Id | None = None
    on: WorldDate | None = None
    note: Text | None = None
    source: ShortText | None = None
    status: Status | None = None


class ClosePriority(Command, events.PriorityClosed):
    """End a priority."""

    uses_reserve: ClassVar[bool] = True


class DraftRecommendation(Command, events.RecommendationDrafted):
    """Draft a recommendation under a new reference."""


class ReviseRecommendation(Command, events.RecommendationRevised):
    """Change the fields that are given. Another title or text is a new version, adopted anew once one was adopted."""

    @model_validator(mode="after")
    def _clerical_text(self) -> Self:
        if self.clerical and self.title is None and self.text is None:
            raise ValueError("clerical: puts a title or text right; give one of them, or leave it out")
        return self


class CiteMandate(Command, events.MandateCited):
    """Rest the recommendation on a provision."""


class UnciteMandate(Command, events.MandateUncited):
    """Take a citation back, with the reason."""


class ReconfirmCitation(Command, events.CitationReconfirmed):
    """Let a citation stand although its instrument was superseded."""


class RecordOrigin(Command):
    """Record where the recommendation came from: a meeting, or a document and its paragraph."""

    meeting: Id | None = None
    document: ShortText | None = None
    symbol: ShortText | None = None
    symbol_status: Status | None = None
    paragraph: ShortText | None = None
    on: WorldDate | None = None
    note: Text | None = None
    source: ShortText | None = None
    status: Status | None = None

    @model_validator(mode="after")
    def _meeting_or_document(self) -> Self:
        if (self.meeting is None) == (self.document is None):
            raise ValueError("names either a meeting or a document")
        return self


class DiscussRecommendation(Command):
    """Record that a meeting took the recommendation up; the date is the meeting's."""

    meeting: Id
    note: Text | None = None
    source: ShortText | None = None
    status: Status | None = None


class AdoptRecommendation(Command):
    """Adopt it at a meeting that was held; without a meeting, only with status unknown and a note that says why.

    The chair names the decision of that meeting, too.
    """

    meeting: Id | None = Field(None, examples=["teg-2024-1"])
    outcome: Id | None = Field(None, description="the decision of that meeting on which the adoption rests")
    adopted_on: WorldDate | None = None
    text_version: events.TextVersionNumber | None = None
    note: Text | None = None
    source: ShortText | None = None
    status: Status | None = None


class TransmitRecommendation(Command, events.RecommendationTransmitted):
    """Send an adopted text to a session of the Committee."""


class RecordDisposition(Command, events.CommitteeDispositionRecorded):
    """Record what the Committee did with it."""


class RecordCarriage(Command, events.RecommendationCarried):
    """Record that an instrument took the recommendation up."""


class ReportFollowUp(Command, events.FollowUpReported):
    """Report what was done with it, and what shows it."""


class SupersedeRecommendation(Command):
    """Close it in favour of a later recommendation."""

    uses_reserve: ClassVar[bool] = True

    by: Reference
    on: WorldDate | None = None
    note: Text | None = None


class MergeRecommendation(Command):
    """Close it by merging it into another."""

    uses_reserve: ClassVar[bool] = True

    into: Reference
    on: WorldDate | None = None
    note: Text | None = None


class SplitRecommendation(Command):
    """Close it by splitting it into others."""

    uses_reserve: ClassVar[bool] = True

    into: tuple[Reference, ...] = Field(min_length=2, examples=[["CED/2022/R2", "CED/2022/R3"]])
    on: WorldDate | None = None
    note: Text | None = None


class WithdrawRecommendation(Command, events.RecommendationWithdrawn):
    """Take it back, with the reason."""

    uses_reserve: ClassVar[bool] = True


class NoteLineage(Command):
    """Note the closing of another recommendation in this one; only a policy issues it."""

    supersedes: Reference | None = None
    absorbs: Reference | None = None
    split_from: Reference | None = None
    on: WorldDate | None = None
    status: Status | None = None
    source: ShortText | None = None


class RegisterInitiative(Command, events.InitiativeRegistered):
    """Register a project that a Government supports."""


class RecordDeliverable(Command, events.DeliverableRecorded):
    """Record a row of the programme budget."""

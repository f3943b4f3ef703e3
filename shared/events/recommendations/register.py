"""Events of the register that recommendations rest on: instruments, sessions, priorities, initiatives, deliverables."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from shared.events.recommendations.base import _Recommendations
from shared.events.values import (
    Count,
    Id,
    Member,
    Model,
    ProvisionId,
    ProvisionRef,
    Seen,
    SessionNumber,
    ShortText,
    Text,
    WorldDate,
)
from shared.events.words import (
    PriorityEnd,
    SessionLevel,
    Status,
)


class InstrumentRegistered(_Recommendations):
    """A resolution, decision or declaration entered the register."""

    fixed: ClassVar[frozenset[str]] = frozenset({"instrument"})
    begins: ClassVar[tuple[str, str] | None] = ("instrument", "instrument")

    instrument: Id
    cite: ShortText = Field(description="how it is cited", examples=["Commission resolution 75/4"])
    body: ShortText = Field(description="the body that adopted it", examples=["ESCAP"])
    title: ShortText
    title_status: Status | None = None
    adopted_on: WorldDate | None = None
    adopted_status: Status | None = None
    symbol: ShortText | None = None
    symbol_status: Status | None = None


class ReportingDuty(Model):
    """The body that a provision asks a report for, and when it is due."""

    body: ShortText
    session: SessionNumber | None = None
    due: WorldDate | None = None


class ProvisionRegistered(_Recommendations):
    """A paragraph of the instrument was registered: its request, and the addressee."""

    fixed: ClassVar[frozenset[str]] = frozenset({"provision"})

    provision: ProvisionId
    paragraph: ShortText | None = None
    verb: ShortText | None = Field(None, examples=["requests"])
    addressee: ShortText | None = None
    summary: Text
    reporting_duty: ReportingDuty | None = None


class ReportingDutyDischarged(_Recommendations):
    """The report that a provision asked for was given."""

    fixed: ClassVar[frozenset[str]] = frozenset({"provision"})

    provision: ProvisionId
    document_symbol: ShortText
    on: WorldDate | None = None


class _Relation(_Recommendations):
    fixed: ClassVar[frozenset[str]] = frozenset({"by"})

    by: Id = Field(description="the other instrument")
    on: WorldDate | None = None


class InstrumentSuperseded(_Relation):
    """A later instrument took this one's place; what cites it is suspect until reconfirmed."""


class InstrumentReaffirmed(_Relation):
    """A later instrument reaffirmed this one."""


class InstrumentCarried(_Relation):
    """Another instrument carried this one into its own body's record."""


class InstrumentEndorsed(_Relation):
    """A higher body endorsed this instrument."""


class DoubleRegistrationNoted(_Recommendations):
    """Another instrument was registered at the same time under the same citation or symbol."""

    fixed: ClassVar[frozenset[str]] = frozenset({"other"})

    other: Id


class CommitteeSessionRecorded(_Recommendations):
    """A session of the Committee was recorded, with its dates as far as known."""

    fixed: ClassVar[frozenset[str]] = frozenset({"session"})
    begins: ClassVar[tuple[str, str] | None] = ("session", "session")

    session: SessionNumber
    starts_on: WorldDate | None = None
    ends_on: WorldDate | None = None
    level: SessionLevel | None = None


class BodySessionRecorded(_Recommendations):
    """A session of another body than the Committee was recorded, with its dates as far as known."""

    fixed: ClassVar[frozenset[str]] = frozenset({"key", "body", "session"})
    begins: ClassVar[tuple[str, str] | None] = ("body_session", "key")

    key: Id = Field(description="made of body and number", examples=["commission-77"])
    body: ShortText = Field(description="as reporting duties name it", examples=["Commission"])
    session: SessionNumber
    starts_on: WorldDate | None = None
    ends_on: WorldDate | None = None


class PrioritySelected(_Recommendations):
    """The group chose a priority, with its outcome and timeline."""

    fixed: ClassVar[frozenset[str]] = frozenset({"priority", "provisions"})
    begins: ClassVar[tuple[str, str] | None] = ("priority", "priority")

    priority: Id
    title: ShortText
    themes: tuple[ShortText, ...] = ()
    outcome: Text
    timeline_from: WorldDate | None = None
    timeline_to: WorldDate
    provisions: tuple[ProvisionRef, ...] = ()
    meeting: Id | None = None
    on: WorldDate | None = None
    seen: Seen | None = None


class PriorityClosed(_Recommendations):
    """The group ended a priority."""

    reason: PriorityEnd
    on: WorldDate | None = None


class InitiativeRegistered(_Recommendations):
    """A project that a Government supports was registered."""

    fixed: ClassVar[frozenset[str]] = frozenset({"initiative", "provisions"})
    begins: ClassVar[tuple[str, str] | None] = ("initiative", "initiative")

    initiative: Id
    title: ShortText
    supporting_member: Member
    provisions: tuple[ProvisionRef, ...] = ()


class DeliverableRecorded(_Recommendations):
    """A row of the programme budget was recorded: meetings planned and held by a body in a year."""

    fixed: ClassVar[frozenset[str]] = frozenset({"deliverable"})
    begins: ClassVar[tuple[str, str] | None] = ("deliverable", "deliverable")

    deliverable: Id
    body: ShortText
    year: WorldDate
    planned_three_hour_meetings: Count | None = None
    actual_three_hour_meetings: Count | None = None

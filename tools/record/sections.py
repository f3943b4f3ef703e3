"""The independent sections of a record: instruments, provisions, relations, sessions, meetings, deliverables."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from shared.events.values import Count, Id, Member, ProvisionId, SessionNumber, ShortText, Text, WorldDate, WorldTime
from shared.events.words import MeetingKind, Modality, SessionLevel, Status


def _whole_number(text: Any) -> int:
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 10 and str(int(text)) == text:
        return int(text)
    raise ValueError("is not a whole number: write digits only")


Session = Annotated[SessionNumber, BeforeValidator(_whole_number)]
Number = Annotated[Count, BeforeValidator(_whole_number)]


class Closed(BaseModel):
    """A model that forbids unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Row(Closed):
    """The fields that every row may have: a note, the source, and the certainty."""

    note: Text | None = None
    source: ShortText | None = None
    status: Status | None = None


class Instrument(Row):
    """A resolution, decision or declaration."""

    id: Id | None = None
    cite: ShortText
    body: ShortText
    title: ShortText
    title_status: Status | None = None
    adopted: WorldDate | None = None
    adopted_status: Status | None = None
    symbol: ShortText | None = None
    symbol_status: Status | None = None


class ReportingDue(Closed):
    """The reporting duty of a provision: the body that receives the report, and when."""

    body: ShortText
    session: Session | None = None
    due: WorldDate | None = None


class Provision(Row):
    """The request in one paragraph of an instrument, and its addressee."""

    id: ProvisionId
    instrument: ShortText
    paragraph: ShortText | None = None
    verb: ShortText | None = None
    addressee: ShortText | None = None
    summary: Text
    reporting_due: ReportingDue | None = None


class Relation(Row):
    """The effect of a later instrument on an earlier one."""

    kind: Literal["superseded_by", "reaffirmed_by", "carried_by", "endorsed_by"]
    earlier: ShortText = Field(alias="from")
    later: ShortText = Field(alias="to")
    date: WorldDate | None = None


class CommitteeSession(Row):
    """A session of the Committee."""

    session: Session
    starts_on: WorldDate | None = Field(None, alias="from")
    ends_on: WorldDate | None = Field(None, alias="to")
    level: SessionLevel | None = None


class BodySession(Row):
    """A session of another body than the Committee."""

    body: ShortText
    session: Session
    starts_on: WorldDate | None = Field(None, alias="from")
    ends_on: WorldDate | None = Field(None, alias="to")


class Meeting(Row):
    """A meeting that this platform did not convene."""

    id: Id
    title: ShortText
    kind: MeetingKind
    starts_at: WorldTime | None = None
    ends_at: WorldTime | None = None
    modality: Modality | None = None


class Deliverable(Row):
    """A row of the programme budget."""

    id: Id
    body: ShortText
    year: WorldDate
    planned_three_hour_meetings: Number | None = None
    actual_three_hour_meetings: Number | None = None


class Initiative(Row):
    """A project that a Government supports."""

    id: Id | None = None
    title: ShortText
    supported_by: Member
    mandates: tuple[ProvisionId, ...] = ()

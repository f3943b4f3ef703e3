"""The sections of a record that stand alone: instruments, provisions, relations, sessions, meetings, deliverables."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from shared.events.values import Count, Id, Member, ProvisionId, SessionNumber, ShortText, Text, WorldDate, WorldTime
from shared.events.words import MeetingKind, Modality, SessionLevel, Status


def _whole(text: Any) -> int:
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 10 and str(int(text)) == text:
        return int(text)
    raise ValueError("is not a whole number: write digits only")


Session = Annotated[SessionNumber, BeforeValidator(_whole)]
Number = Annotated[Count, BeforeValidator(_whole)]


class Closed(BaseModel):
    """Takes no field but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Row(Closed):
    """What every row may carry: what a reader should know, where it was read, how certain it is."""

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
    """To whom a provision asks for a report, and when."""

    body: ShortText
    session: Session | None = None
    due: WorldDate | None = None


class Provision(Row):
    """What one paragraph of an instrument asks, and of whom."""

    id: ProvisionId
    instrument: ShortText
    paragraph: ShortText | None = None
    verb: ShortText | None = None
    addressee: ShortText | None = None
    summary: Text
    reporting_due: ReportingDue | None = None


class Relation(Row):
    """What a later instrument did to an earlier one."""

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

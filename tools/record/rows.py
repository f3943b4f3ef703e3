"""The rows of a record in order of execution, each as one command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.meetings.commands import RecordMeeting
from services.recommendations import commands
from shared.domain.aggregate import Command
from shared.events import meetings, recommendations
from shared.events.event import Event
from tools.record.faults import Place
from tools.record.format import Record
from tools.record.sections import Row as RecordRow
from tools.record.slugs import slug

PLURALS = {
    "instrument": "instruments",
    "session": "sessions",
    "body_session": "body-sessions",
    "deliverable": "deliverables",
    "initiative": "initiatives",
    "meeting": "meetings",
    "recommendation": "recommendations",
}
_RELATIONS: dict[str, tuple[str, type[Command], type[Event]]] = {
    "superseded_by": ("supersede", commands.SupersedeInstrument, recommendations.InstrumentSuperseded),
    "reaffirmed_by": ("reaffirm", commands.ReaffirmInstrument, recommendations.InstrumentReaffirmed),
    "carried_by": ("carry", commands.CarryInstrument, recommendations.InstrumentCarried),
    "endorsed_by": ("endorse", commands.EndorseInstrument, recommendations.InstrumentEndorsed),
}


@dataclass(frozen=True)
class Row:
    """One row: its command, and the fields that identify the event of an earlier load.

    `recognised_by` lists sets of identifying fields, the surest first; an empty set matches any event of the kind.
    """

    place: Place
    stream: str
    post: str
    command: Command
    event: type[Event]
    recognised_by: tuple[tuple[str, ...], ...] = ((),)

    @property
    def service(self) -> str:
        """The service that owns the stream."""
        return self.event.service

    @property
    def correct(self) -> str:
        """The path of its correction command."""
        return f"{address(self.stream)}/correct"


def address(stream: str) -> str:
    """Return the path of a stream in its service's API."""
    kind, _, key = stream.partition("/")
    return f"/{PLURALS[kind]}/{key}"


def stated_fields(row: RecordRow, **fields: Any) -> dict[str, Any]:
    """Return the fields that a row states, its note, source and status included."""
    fields |= {"note": row.note, "source": row.source, "status": row.status}
    return {name: value for name, value in fields.items() if value is not None}


class Ids:
    """The ids of instruments and provisions."""

    def __init__(self, record: Record) -> None:
        self._instruments: dict[str, str] = {}
        for instrument in record.instruments:
            key = instrument.id or slug(instrument.cite)
            self._instruments |= {instrument.cite: key, key: key}
        self._provisions = {item.id: self.instrument(item.instrument) for item in record.provisions}

    def instrument(self, name: str) -> str:
        """Return an instrument's id by its citation or id."""
        return self._instruments[name]

    def provision(self, provision: str) -> dict[str, str]:
        """Return a provision with its instrument."""
        return {"instrument": self._provisions[provision], "provision": provision}


def independent_rows(record: Record, ids: Ids) -> Iterator[Row]:
    """Yield the rows that recommendations refer to: instruments first, then relations, sessions, meetings, the rest."""
    yield from _instruments(record, ids)
    yield from _provisions(record, ids)
    yield from _relations(record, ids)
    for index, session in enumerate(record.committee_sessions):
        data = stated_fields(
            session,
            session=session.session,
            starts_on=session.starts_on,
            ends_on=session.ends_on,
            level=session.level,
        )
        command = commands.RecordCommitteeSession.model_validate(data)
        stream = f"session/{session.session}"
        event = recommendations.CommitteeSessionRecorded
        yield Row(("committee_sessions", index), stream, "/sessions", command, event)
    yield from _body_sessions(record)
    for index, meeting in enumerate(record.meetings):
        recorded = RecordMeeting.model_validate(
            stated_fields(
                meeting,
                meeting=meeting.id,
                title=meeting.title,
                kind=meeting.kind,
                starts_at=meeting.starts_at,
                ends_at=meeting.ends_at,
                modality=meeting.modality,
            )
        )
        stream = f"meeting/{meeting.id}"
        yield Row(("meetings", index), stream, "/recorded-meetings", recorded, meetings.MeetingRecorded)
    yield from _deliverables(record)
    yield from _initiatives(record, ids)


def _instruments(record: Record, ids: Ids) -> Iterator[Row]:
    for index, row in enumerate(record.instruments):
        key = ids.instrument(row.cite)
        data = stated_fields(
            row,
            instrument=key,
            cite=row.cite,
            body=row.body,
            title=row.title,
            title_status=row.title_status,
            adopted_on=row.adopted,
            adopted_status=row.adopted_status,
            symbol=row.symbol,
            symbol_status=row.symbol_status,
        )
        command = commands.RegisterInstrument.model_validate(data)
        event = recommendations.InstrumentRegistered
        yield Row(("instruments", index), f"instrument/{key}", "/instruments", command, event)


def _provisions(record: Record, ids: Ids) -> Iterator[Row]:
    for index, row in enumerate(record.provisions):
        stream = f"instrument/{ids.instrument(row.instrument)}"
        data = stated_fields(
            row,
            provision=row.id,
            paragraph=row.paragraph,
            verb=row.verb,
            addressee=row.addressee,
            summary=row.summary,
            reporting_duty=row.reporting_due.model_dump(exclude_none=True) if row.reporting_due else None,
        )
        command = commands.RegisterProvision.model_validate(data)
        yield Row(
            ("provisions", index),
            stream,
            f"{address(stream)}/provisions",
            command,
            recommendations.ProvisionRegistered,
            (("provision",),),
        )


def _relations(record: Record, ids: Ids) -> Iterator[Row]:
    for index, row in enumerate(record.relations):
        verb, command_type, event = _RELATIONS[row.kind]
        stream = f"instrument/{ids.instrument(row.earlier)}"
        command = command_type.model_validate(stated_fields(row, by=ids.instrument(row.later), on=row.date))
        yield Row(("relations", index), stream, f"{address(stream)}/{verb}", command, event, (("by",),))


def _body_sessions(record: Record) -> Iterator[Row]:
    for index, row in enumerate(record.body_sessions):
        data = stated_fields(row, body=row.body, session=row.session, starts_on=row.starts_on, ends_on=row.ends_on)
        command, event = commands.RecordBodySession.model_validate(data), recommendations.BodySessionRecorded
        yield Row(("body_sessions", index), f"body_session/{command.key}", "/body-sessions", command, event)


def _deliverables(record: Record) -> Iterator[Row]:
    for index, row in enumerate(record.deliverables):
        data = stated_fields(
            row,
            deliverable=row.id,
            body=row.body,
            year=row.year,
            planned_three_hour_meetings=row.planned_three_hour_meetings,
            actual_three_hour_meetings=row.actual_three_hour_meetings,
        )
        command = commands.RecordDeliverable.model_validate(data)
        event = recommendations.DeliverableRecorded
        yield Row(("deliverables", index), f"deliverable/{row.id}", "/deliverables", command, event)


def _initiatives(record: Record, ids: Ids) -> Iterator[Row]:
    for index, row in enumerate(record.initiatives):
        key = row.id or slug(row.title)
        provisions = [ids.provision(name) for name in row.mandates]
        data = stated_fields(
            row, initiative=key, title=row.title, supporting_member=row.supported_by, provisions=provisions or None
        )
        command = commands.RegisterInitiative.model_validate(data)
        event = recommendations.InitiativeRegistered
        yield Row(("initiatives", index), f"initiative/{key}", "/initiatives", command, event)

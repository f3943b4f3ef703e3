"""The rows of a recommendation, from draft to follow-up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.recommendations import commands
from shared.domain.aggregate import Command
from shared.events import recommendations as events
from shared.events.event import Event
from tools.record.faults import Place
from tools.record.format import Disposition, Recommendation, Record
from tools.record.rows import Ids, Row, address, independent_rows, stated_fields

_FOLLOW_UP = (("evidence", "on"), ("evidence",), ("on",))
_ORIGIN = (("document",), ("meeting",), ())
_AT_SESSION = (("session", "on"), ("session",))


def rows_of(record: Record) -> list[Row]:
    """Return every row of a record, definitions before references."""
    ids = Ids(record)
    rows = list(independent_rows(record, ids))
    for index, recommendation in enumerate(record.recommendations):
        rows += _recommendation(("recommendations", index), recommendation, ids)
    return rows


def _recommendation(place: Place, row: Recommendation, ids: Ids) -> Iterator[Row]:
    stream = f"recommendation/{row.reference}"
    draft_fields = stated_fields(
        row,
        reference=row.reference,
        title=row.title,
        text=row.text,
        kinds=row.kinds or None,
        addressees=row.addressees or None,
        themes=row.themes or None,
        on=row.date,
    )
    draft = commands.DraftRecommendation.model_validate(draft_fields)
    yield Row(place, stream, "/recommendations", draft, events.RecommendationDrafted)
    for section in (_before_the_committee, _at_the_committee, _after_the_committee):
        for within, verb, command_type, event, data, recognised_by in section(row, ids):
            command = command_type.model_validate(data)
            yield Row((*place, *within), stream, f"{address(stream)}/{verb}", command, event, recognised_by)


Step = tuple[Place, str, type[Command], type[Event], dict[str, Any], tuple[tuple[str, ...], ...]]


def _before_the_committee(row: Recommendation, ids: Ids) -> Iterator[Step]:
    for index, mandate in enumerate(row.mandates):
        data = stated_fields(mandate, **ids.provision(mandate.provision), on=mandate.date, cited_by=mandate.cited_by)
        key = (("instrument", "provision"),)
        yield ("mandates", index), "cite", commands.CiteMandate, events.MandateCited, data, key
    for index, origin in enumerate(row.origin):
        data = stated_fields(
            origin,
            meeting=origin.meeting,
            document=origin.document,
            symbol=origin.symbol,
            symbol_status=origin.symbol_status,
            paragraph=origin.paragraph,
            on=origin.date,
        )
        yield ("origin", index), "origin", commands.RecordOrigin, events.OriginRecorded, data, _ORIGIN
    for index, discussion in enumerate(row.meetings):
        data = stated_fields(discussion, meeting=discussion.meeting)
        command_type, event = commands.DiscussRecommendation, events.RecommendationDiscussed
        yield ("meetings", index), "discuss", command_type, event, data, (("meeting",),)
    if row.adopted is not None:
        data = stated_fields(row.adopted, meeting=row.adopted.meeting, adopted_on=row.adopted.date)
        yield ("adopted",), "adopt", commands.AdoptRecommendation, events.RecommendationAdopted, data, ((),)


def _at_the_committee(row: Recommendation, ids: Ids) -> Iterator[Step]:
    """Yield transmissions, then dispositions; before a second transmission to a session, what it did with the first."""
    remaining, sessions = list(enumerate(row.disposition)), set[int]()
    for index, sent in enumerate(row.transmitted):
        if sent.to_session in sessions:
            returned = next((each for each in remaining if each[1].session == sent.to_session), None)
            if returned is not None:
                remaining.remove(returned)
                yield _disposition(*returned)
        sessions.add(sent.to_session)
        data = stated_fields(
            sent,
            session=sent.to_session,
            document_symbol=sent.document_symbol,
            symbol_status=sent.symbol_status,
            on=sent.date,
        )
        command_type, event = commands.TransmitRecommendation, events.RecommendationTransmitted
        yield ("transmitted", index), "transmit", command_type, event, data, _AT_SESSION
    for each in remaining:
        yield _disposition(*each)


def _disposition(index: int, row: Disposition) -> Step:
    data = stated_fields(
        row,
        session=row.session,
        outcome=row.outcome,
        on=row.date,
        report_symbol=row.report_symbol,
        symbol_status=row.symbol_status,
        paragraph=row.paragraph,
    )
    event = events.CommitteeDispositionRecorded
    return ("disposition", index), "dispose", commands.RecordDisposition, event, data, _AT_SESSION


def _after_the_committee(row: Recommendation, ids: Ids) -> Iterator[Step]:
    for index, carriage in enumerate(row.carried_by):
        data = stated_fields(carriage, instrument=ids.instrument(carriage.instrument), on=carriage.date)
        command_type, event = commands.RecordCarriage, events.RecommendationCarried
        yield ("carried_by", index), "carry", command_type, event, data, (("instrument",),)
    for index, report in enumerate(row.follow_up):
        data = stated_fields(
            report,
            action=report.action,
            progress=report.progress,
            responsible=report.responsible,
            evidence=report.evidence.model_dump(exclude_none=True) if report.evidence else None,
            on=report.date,
            due=report.due,
        )
        yield ("follow_up", index), "follow-up", commands.ReportFollowUp, events.FollowUpReported, data, _FOLLOW_UP

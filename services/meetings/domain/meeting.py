"""A meeting: proposed, confirmed by two, convened, held; or recorded as it was; or cancelled."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from services.meetings.commands import (
    AddAgendaItem,
    CancelMeeting,
    CloseActionPoint,
    ConfirmMeeting,
    DisseminateDocument,
    HoldMeeting,
    OrderAgenda,
    ProposeMeeting,
    RecordAttendance,
    RecordAttendanceList,
    RecordMeeting,
    RecordOutcome,
    RescheduleMeeting,
)
from services.meetings.domain.calendar import months_of
from services.meetings.domain.checks import check, judge_void
from services.meetings.domain.folding import evolve
from services.meetings.domain.rules import (
    ActionPointNotOnRecord,
    AgendaItemNamesUnknownProvision,
    AgendaOrderStandsOnceHeld,
    AttendanceListedTwice,
    AttendanceOnRecord,
    TwoConfirmationsConveneAMeeting,
)
from services.meetings.domain.states import Absent, Cancelled, Convened, Held, Meeting, OnRecord, Proposed, Recorded
from services.meetings.domain.terms import limits_of
from services.meetings.domain.waiting import waiting
from shared.domain.aggregate import Aggregate, Command, Context, Decision, Facts, event_from
from shared.domain.rejections import NotHeardYet, OutOfOrder, Rejection
from shared.domain.voids import Void
from shared.domain.waiting import as_facet
from shared.events.event import Event
from shared.events.meetings import (
    ActionPointClosed,
    AgendaItemAdded,
    AgendaOrdered,
    AttendanceRecorded,
    DocumentDisseminated,
    MeetingCancelled,
    MeetingConfirmed,
    MeetingConvened,
    MeetingHeld,
    MeetingProposed,
    MeetingRecorded,
    MeetingRescheduled,
    OutcomeRecorded,
)
from shared.events.values import Seen
from shared.events.words import Confirmer, words

ENTRIES = (
    (AddAgendaItem, "agenda", "item"),
    (DisseminateDocument, "documents", "document"),
    (RecordAttendance, "attendance", "membership"),
    (RecordOutcome, "outcomes", "outcome"),
    (CloseActionPoint, "closed", "outcome"),
)


def decide(state: Meeting, command: Command, *, stream: str, facts: Facts, context: Context) -> Decision:
    """Propose, confirm, convene and hold a meeting, or record one; a cancelled meeting is closed."""
    match state, command:
        case Absent(), ProposeMeeting():
            return [event_from(command, MeetingProposed)]
        case Absent(), RecordMeeting():
            return [event_from(command, MeetingRecorded)]
        case Proposed(), ConfirmMeeting():
            return _confirmed(state, command, stream, context)
        case Proposed() | Convened(), RescheduleMeeting():
            return [event_from(command, MeetingRescheduled, by=_confirmer(context))]
        case Proposed() | Convened(), CancelMeeting():
            return [event_from(command, MeetingCancelled)]
        case Proposed(), HoldMeeting() | RecordAttendance() | RecordAttendanceList():
            waits_for = " and ".join(name for name in words(Confirmer) if name not in state.confirmed_by)
            return TwoConfirmationsConveneAMeeting(stream, waits_for)
        case Held(), OrderAgenda():
            return AgendaOrderStandsOnceHeld(stream)
        case Convened(), HoldMeeting():
            return [event_from(command, MeetingHeld)]
        case Absent() | Void() | Cancelled(), _:
            return _out_of_order(state, command, stream)
        case _:
            return _entered(state, command, stream, facts)


def _confirmed(state: Proposed, command: ConfirmMeeting, stream: str, context: Context) -> Decision:
    """Confirm a meeting by the caller's role; the second confirmation convenes it in the same commit."""
    by = _confirmer(context)
    if by in state.confirmed_by:
        return OutOfOrder("ConfirmMeeting", stream, f"confirmed by the {by} already")
    confirmed = event_from(command, MeetingConfirmed, by=by)
    return [confirmed, MeetingConvened()] if state.confirmed_by else [confirmed]


def _confirmer(context: Context) -> Confirmer:
    return "chair" if context.role == "chair" else "secretariat"


def _entered(state: OnRecord, command: Command, stream: str, facts: Facts) -> Decision:
    """Enter an item, document, attendance or outcome of a meeting that is not cancelled, each once."""
    if (twice := _entered_before(state, command)) is not None:
        return OutOfOrder(type(command).__name__, stream, f"a meeting that has {twice} already")
    match state, command:
        case _, AddAgendaItem():
            return _unknown(command, facts) or [event_from(command, AgendaItemAdded)]
        case _, OrderAgenda():
            return [event_from(command, AgendaOrdered)]
        case _, DisseminateDocument():
            return [event_from(command, DocumentDisseminated)]
        case _, RecordAttendance():
            return _attended(state, command, facts)
        case _, RecordAttendanceList():
            return _all_attended(state, command, stream, facts)
        case Held() | Recorded(), RecordOutcome():
            return [event_from(command, OutcomeRecorded)]
        case Held() | Recorded(), CloseActionPoint():
            return _closed(state, command, stream)
        case _:
            return _out_of_order(state, command, stream)


def _entered_before(state: OnRecord, command: Command) -> str | None:
    for kind, section, key in ENTRIES:
        if isinstance(command, kind):
            entered = getattr(command, key)
            entries = getattr(state.proceedings, section)
            if any(getattr(entry.fact, key) == entered for entry in entries):
                return f"{key} {entered}{' closed' if section == 'closed' else ''}"
            return None
    return None


def _closed(state: OnRecord, command: CloseActionPoint, stream: str) -> Decision:
    outcomes = (entry.fact for entry in state.proceedings.outcomes)
    if not any(each.outcome == command.outcome and each.kind == "action_point" for each in outcomes):
        return ActionPointNotOnRecord(stream, command.outcome)
    return [event_from(command, ActionPointClosed)]


def _all_attended(state: OnRecord, command: RecordAttendanceList, stream: str, facts: Facts) -> Decision:
    """Record each row of a list, or return the refusal of the first that cannot be."""
    on_record = {entry.fact.membership for entry in state.proceedings.attendance}
    listed: set[str] = set()
    events: list[Event] = []
    for place, row in enumerate(command.attendance):
        field = f"attendance.{place}.membership"
        if row.membership in listed:
            return AttendanceListedTwice(field, row.membership)
        if row.membership in on_record:
            return AttendanceOnRecord(field, row.membership, stream)
        listed.add(row.membership)
        one = RecordAttendance(**command.model_dump(exclude={"attendance"}, exclude_unset=True), **row.model_dump())
        decision = _attended(state, one, facts)
        if isinstance(decision, Rejection):
            return decision
        events += decision
    return events


def _attended(state: OnRecord, command: RecordAttendance, facts: Facts) -> Decision:
    """Take member and term from this service's fold of the membership, and record its version."""
    stream = f"membership/{command.membership}"
    known = facts.get(stream)
    if known is None or known.state.stage == "unheard":
        return NotHeardYet(stream)
    seen = Seen(stream=stream, version=known.version)
    term = limits_of(known.state, state.particulars.starts_at)
    return [event_from(command, AttendanceRecorded, member=known.state.member, seen=seen, **term)]


def _unknown(command: AddAgendaItem, facts: Facts) -> Rejection | None:
    """Return the refusal of an agenda item's priority or provisions, or None."""
    for stream in sorted(names(command)):
        if stream not in facts or facts[stream].state.stage == "unheard":
            return NotHeardYet(stream)
    for named in command.provisions:
        if named.provision not in facts[f"instrument/{named.instrument}"].state.provisions:
            return AgendaItemNamesUnknownProvision(named.instrument, named.provision)
    return None


def _out_of_order(state: Meeting, command: Command, stream: str) -> OutOfOrder:
    return OutOfOrder(type(command).__name__, stream, "not on record" if isinstance(state, Absent) else state.stage)


def needs(_state: Meeting, command: Command) -> frozenset[str]:
    """Return the siblings' streams that a decision rests on."""
    if isinstance(command, RecordAttendance):
        return frozenset({f"membership/{command.membership}"})
    if isinstance(command, RecordAttendanceList):
        return frozenset(f"membership/{row.membership}" for row in command.attendance)
    return names(command) if isinstance(command, AddAgendaItem) else frozenset()


def names(event: Event) -> frozenset[str]:
    """Return the streams that an event of a meeting names."""
    match event:
        case AgendaItemAdded(priority=priority, provisions=provisions):
            instruments = {f"instrument/{named.instrument}" for named in provisions}
            return frozenset(instruments | ({f"priority/{priority}"} if priority else set()))
        case AttendanceRecorded(membership=membership):
            return frozenset({f"membership/{membership}"})
        case _:
            return frozenset()


def facets(state: Meeting) -> dict[str, Any]:
    """Return the values that lists of meetings filter on."""
    if isinstance(state, Absent | Void):
        return {"stage": state.stage}
    agenda = [entry.fact for entry in state.proceedings.agenda]
    return {
        "stage": state.stage,
        "kind": state.particulars.kind,
        "modality": state.particulars.modality or "unknown",
        "member": sorted({entry.fact.member for entry in state.proceedings.attendance}),
        "membership": sorted({entry.fact.membership for entry in state.proceedings.attendance}),
        "priority": sorted({item.priority for item in agenda if item.priority}),
        "instrument": sorted({named.instrument for item in agenda for named in item.provisions}),
        "month": months_of(state),
        "awaits": as_facet(waiting(state)),
    }


MEETING: Aggregate[Meeting] = Aggregate(
    kind="meeting",
    initial=Absent(),
    states=TypeAdapter(Annotated[Meeting, Field(discriminator="stage")]),
    evolve=evolve,
    decide=decide,
    needs=needs,
    names=names,
    facets=facets,
    judge_void=judge_void,
    check=check,
)

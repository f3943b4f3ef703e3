"""The meetings of a sibling, folded as far as a trace and a rule need them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from shared.domain.agenda import inserted, ordered
from shared.domain.aggregate import Aggregate, Command, Decision
from shared.domain.facts import Fact
from shared.domain.rejections import OutOfOrder
from shared.domain.voids import Void
from shared.events.event import Event
from shared.events.meetings import (
    ActionPointClosed,
    AgendaItemAdded,
    AgendaOrdered,
    AttendanceRecorded,
    DocumentDisseminated,
    MeetingCancelled,
    MeetingConvened,
    MeetingHeld,
    MeetingProposed,
    MeetingRecorded,
    MeetingRescheduled,
    OutcomeRecorded,
)
from shared.events.values import Model

MeetingStage = Literal["proposed", "convened", "held", "cancelled"]


class UnknownMeeting(Model):
    """No event of this meeting has been consumed."""

    stage: Literal["unheard"] = "unheard"


class MeetingReplica(Model):
    """A meeting as it now stands, its attendance and its entries; `versions` are all the events behind it."""

    stage: MeetingStage
    title: str
    kind: str
    modality: str
    starts_at: str | None = None
    ends_at: str | None = None
    status: str | None = None
    source: str | None = None
    note: str | None = None
    versions: tuple[int, ...]
    members: tuple[str, ...] = ()
    in_room: int = 0
    remote: int = 0
    documents: tuple[dict[str, str], ...] = ()
    outside_term: tuple[dict[str, str | bool], ...] = ()
    agenda: tuple[dict[str, Any], ...] = ()
    outcomes: tuple[dict[str, Any], ...] = ()

    @property
    def decisions(self) -> frozenset[str]:
        """The ids of the decisions on record."""
        return frozenset(each["outcome"] for each in self.outcomes if each["kind"] == "decision")

    @property
    def day(self) -> str | None:
        """The day on which it begins."""
        return self.starts_at[:10] if self.starts_at else None


Meeting: TypeAlias = UnknownMeeting | Void | MeetingReplica


def evolve(state: Meeting, fact: Fact) -> Meeting:
    """Fold one fact of a meeting's stream."""
    kind = type(fact.data)
    if kind in _BEGINS:
        return _begun(_BEGINS[kind], fact.data, fact)
    if kind not in _CHANGES or not isinstance(state, MeetingReplica):
        return state
    return state.model_copy(update={**_CHANGES[kind](state, fact.data), "versions": state.versions + fact.versions})


def _begun(stage: MeetingStage, data: Any, fact: Fact) -> MeetingReplica:
    return MeetingReplica(
        stage=stage,
        title=data.title,
        kind=data.kind,
        modality=data.modality or "unknown",
        starts_at=data.starts_at,
        ends_at=data.ends_at,
        status=data.status,
        source=data.source,
        note=data.note,
        versions=fact.versions,
    )


_LIMITS = {"membership_began_on", "membership_ended", "membership_ended_on"}


def _attended(state: MeetingReplica, attendance: AttendanceRecorded) -> dict[str, Any]:
    members, place = state.members, bisect_left(state.members, attendance.member)
    if members[place : place + 1] != (attendance.member,):
        members = (*members[:place], attendance.member, *members[place:])
    place_of = "in_room" if attendance.presence == "in_room" else "remote"
    limits = attendance.model_dump(include=_LIMITS, exclude_none=True)
    outside = {"membership": attendance.membership, "member": attendance.member, **limits}
    terms = {"outside_term": (*state.outside_term, outside)} if limits else {}
    return {"members": members, place_of: getattr(state, place_of) + 1, **terms}


def _disseminated(state: MeetingReplica, document: DocumentDisseminated) -> dict[str, Any]:
    """Note a document, and whether a form of it is known to be accessible (founding note, paragraph 23)."""
    answers = {rendition.accessible for rendition in document.renditions}
    accessible = "yes" if True in answers else "no" if answers == {False} else "unknown"
    symbol = {"symbol": document.symbol} if document.symbol else {}
    on = {"disseminated_on": document.disseminated_on} if document.disseminated_on else {}
    status = {"status": document.status or "unknown"}
    paper = {"document": document.document, "title": document.title, **symbol, "accessible": accessible, **on, **status}
    return {"documents": (*state.documents, paper)}


def _added(state: MeetingReplica, item: AgendaItemAdded) -> dict[str, Any]:
    added = {name: value for name, value in _entry(item).items() if name != "before"}
    return {"agenda": inserted(state.agenda, added, item.before, _item)}


def _ordered(state: MeetingReplica, order: AgendaOrdered) -> dict[str, Any]:
    return {"agenda": ordered(state.agenda, order.items, _item)}


def _item(entry: dict[str, Any]) -> str:
    return str(entry["item"])


def _decided(state: MeetingReplica, outcome: OutcomeRecorded) -> dict[str, Any]:
    return {"outcomes": (*state.outcomes, _entry(outcome))}


def _closed(state: MeetingReplica, closing: ActionPointClosed) -> dict[str, Any]:
    closed = {name: value for name, value in _entry(closing).items() if name != "outcome"}
    return {
        "outcomes": tuple(
            each | {"closed": closed} if each["outcome"] == closing.outcome else each for each in state.outcomes
        )
    }


def _entry(data: Event) -> dict[str, Any]:
    fields = data.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return {"status": "unknown"} | fields


def _rescheduled(state: MeetingReplica, moved: MeetingRescheduled) -> dict[str, Any]:
    proposed_again = moved.by is not None and state.stage == "convened"
    return {
        "stage": "proposed" if proposed_again else state.stage,
        "starts_at": moved.starts_at,
        "ends_at": moved.ends_at,
        "modality": moved.modality or state.modality,
    }


def _held(state: MeetingReplica, held: MeetingHeld) -> dict[str, Any]:
    return {
        "stage": "held",
        "starts_at": held.held_from or state.starts_at,
        "ends_at": held.held_to or state.ends_at,
    }


_BEGINS: dict[type[Event], MeetingStage] = {MeetingProposed: "proposed", MeetingRecorded: "held"}
_CHANGES: dict[type[Event], Callable[[MeetingReplica, Any], dict[str, Any]]] = {
    AttendanceRecorded: _attended,
    DocumentDisseminated: _disseminated,
    AgendaItemAdded: _added,
    AgendaOrdered: _ordered,
    OutcomeRecorded: _decided,
    ActionPointClosed: _closed,
    MeetingRescheduled: _rescheduled,
    MeetingConvened: lambda _state, _data: {"stage": "convened"},
    MeetingCancelled: lambda _state, _data: {"stage": "cancelled"},
    MeetingHeld: _held,
}


def _decide(_state: Meeting, command: Command, *, stream: str, **_: Any) -> Decision:
    return OutOfOrder(type(command).__name__, stream, "another service's")


MEETING: Aggregate[Meeting] = Aggregate(
    kind="meeting",
    initial=UnknownMeeting(),
    states=TypeAdapter(Annotated[Meeting, Field(discriminator="stage")]),
    evolve=evolve,
    decide=_decide,
)

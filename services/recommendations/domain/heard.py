"""The meetings that this service hears of, as far as a trace and a rule need them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from shared.aggregates import Aggregate, Command, Decision, Fact
from shared.events.meetings import (
    AttendanceRecorded,
    DocumentDisseminated,
    MeetingCancelled,
    MeetingConvened,
    MeetingHeld,
    MeetingProposed,
    MeetingRecorded,
    MeetingRescheduled,
)
from shared.events.values import Model
from shared.rejections import OutOfOrder

MeetingStage = Literal["proposed", "convened", "held", "cancelled"]


class Unheard(Model):
    """Nothing was heard of this meeting."""

    stage: Literal["unheard"] = "unheard"


class Heard(Model):
    """A meeting as it now stands, who came, and what was given to them; `versions` are all the events behind it."""

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


Meeting: TypeAlias = Unheard | Heard


def evolve(state: Meeting, fact: Fact) -> Meeting:
    """Fold one fact of a meeting's stream."""
    match state, fact.data:
        case _, MeetingProposed() as proposed:
            return _begun("proposed", proposed, fact)
        case _, MeetingRecorded() as recorded:
            return _begun("held", recorded, fact)
        case Heard(), AttendanceRecorded() as attendance:
            return _attended(state, fact, attendance)
        case Heard(), DocumentDisseminated() as document:
            return _moved(state, fact, documents=(*state.documents, _given_out(document)))
        case Heard(), MeetingRescheduled() as moved:
            times: dict[str, str | None] = {"starts_at": moved.starts_at, "ends_at": moved.ends_at}
            return _moved(state, fact, **times, modality=moved.modality or state.modality)
        case Heard(), MeetingConvened():
            return _moved(state, fact, stage="convened")
        case Heard(), MeetingCancelled():
            return _moved(state, fact, stage="cancelled")
        case Heard(), MeetingHeld() as held:
            times = {"starts_at": held.held_from or state.starts_at, "ends_at": held.held_to or state.ends_at}
            return _moved(state, fact, stage="held", **times)
        case _:
            return state


def _begun(stage: MeetingStage, data: MeetingProposed | MeetingRecorded, fact: Fact) -> Heard:
    return Heard(
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


def _attended(state: Heard, fact: Fact, attendance: AttendanceRecorded) -> Heard:
    members = tuple(sorted({*state.members, attendance.member}))
    if attendance.presence == "in_room":
        return _moved(state, fact, members=members, in_room=state.in_room + 1)
    return _moved(state, fact, members=members, remote=state.remote + 1)


def _given_out(document: DocumentDisseminated) -> dict[str, str]:
    """Say what was given out, and whether a form of it is known to be accessible (founding note, paragraph 23)."""
    answers = {rendition.accessible for rendition in document.renditions}
    accessible = "yes" if True in answers else "no" if answers == {False} else "unknown"
    symbol = {"symbol": document.symbol} if document.symbol else {}
    return {"document": document.document, "title": document.title, **symbol, "accessible": accessible}


def _moved(state: Heard, fact: Fact, **changes: Any) -> Heard:
    return state.model_copy(update={**changes, "versions": state.versions + fact.versions})


def _decide(_state: Meeting, command: Command, *, stream: str, **_: Any) -> Decision:
    return OutOfOrder(type(command).__name__, stream, "another service's")


MEETING: Aggregate[Meeting] = Aggregate(
    kind="meeting",
    initial=Unheard(),
    states=TypeAdapter(Annotated[Meeting, Field(discriminator="stage")]),
    evolve=evolve,
    decide=_decide,
)

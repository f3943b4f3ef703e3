"""The record format: recommendations, and the file as a whole."""

from __future__ import annotations

from typing import Annotated, Any, Self, TypeVar

from pydantic import BeforeValidator, model_validator

from shared.events.values import Digest, Id, Member, ProvisionId, Reference, ShortText, Text, WorldDate
from shared.events.words import DispositionOutcome, Progress, RecommendationKind, Status
from tools.record.sections import (
    BodySession,
    Closed,
    CommitteeSession,
    Deliverable,
    Initiative,
    Instrument,
    Meeting,
    Provision,
    Relation,
    Row,
    Session,
)

T = TypeVar("T")


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


def _as_discussion(value: Any) -> Any:
    return {"meeting": value} if isinstance(value, str) else value


OneOrMore = Annotated[tuple[T, ...], BeforeValidator(_as_list)]


class Mandate(Row):
    """A provision that a recommendation cites."""

    provision: ProvisionId
    date: WorldDate | None = None
    cited_by: ShortText | None = None


class Discussion(Row):
    """A meeting that discussed a recommendation."""

    meeting: Id


class Origin(Row):
    """The origin of a recommendation: a meeting, or a document and its paragraph."""

    meeting: Id | None = None
    document: ShortText | None = None
    symbol: ShortText | None = None
    symbol_status: Status | None = None
    paragraph: ShortText | None = None
    date: WorldDate | None = None

    @model_validator(mode="after")
    def _meeting_or_document(self) -> Self:
        if (self.meeting is None) == (self.document is None):
            raise ValueError("names either a meeting or a document")
        return self


class Adoption(Row):
    """The adoption by the group; without a meeting it needs status unknown and a note with the reason."""

    meeting: Id | None = None
    date: WorldDate | None = None


class Transmission(Row):
    """The transmission of a recommendation to a session."""

    to_session: Session
    date: WorldDate | None = None
    document_symbol: ShortText | None = None
    symbol_status: Status | None = None


class Disposition(Row):
    """The Committee's disposition of a recommendation."""

    session: Session
    outcome: DispositionOutcome
    date: WorldDate | None = None
    report_symbol: ShortText | None = None
    symbol_status: Status | None = None
    paragraph: ShortText | None = None


class Carriage(Row):
    """An instrument that carried a recommendation."""

    instrument: ShortText
    date: WorldDate | None = None


class Evidence(Closed):
    """Evidence of a follow-up: exactly one of these fields."""

    meeting: Id | None = None
    deliverable: Id | None = None
    session: Session | None = None
    document: ShortText | None = None
    digest: Digest | None = None
    text: Text | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("names exactly one of meeting, deliverable, session, document, digest, text")
        return self


class FollowUp(Row):
    """A follow-up report on a recommendation."""

    action: ShortText | None = None
    date: WorldDate | None = None
    due: WorldDate | None = None
    progress: Progress
    responsible: ShortText | None = None
    evidence: Evidence | None = None


class Recommendation(Row):
    """A recommendation, from draft to follow-up."""

    reference: Reference
    title: ShortText
    text: Text | None = None
    date: WorldDate | None = None
    kinds: tuple[RecommendationKind, ...] = ()
    themes: tuple[ShortText, ...] = ()
    addressees: tuple[ShortText, ...] = ()
    mandates: tuple[Mandate, ...] = ()
    meetings: tuple[Annotated[Discussion, BeforeValidator(_as_discussion)], ...] = ()
    origin: OneOrMore[Origin] = ()
    adopted: Adoption | None = None
    transmitted: OneOrMore[Transmission] = ()
    disposition: OneOrMore[Disposition] = ()
    carried_by: OneOrMore[Carriage] = ()
    follow_up: tuple[FollowUp, ...] = ()


class Record(Closed):
    """A whole file. It is self-contained: it defines everything that a row names."""

    record: Id | None = None
    instruments: tuple[Instrument, ...] = ()
    provisions: tuple[Provision, ...] = ()
    relations: tuple[Relation, ...] = ()
    committee_sessions: tuple[CommitteeSession, ...] = ()
    body_sessions: tuple[BodySession, ...] = ()
    meetings: tuple[Meeting, ...] = ()
    deliverables: tuple[Deliverable, ...] = ()
    initiatives: tuple[Initiative, ...] = ()
    recommendations: tuple[Recommendation, ...] = ()
    themes: tuple[ShortText, ...] = ()
    members: tuple[Member, ...] = ()

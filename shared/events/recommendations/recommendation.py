"""A recommendation, from its draft to its follow-up, and corrections."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self, TypeVar

from pydantic import ConfigDict, Field, model_validator

from shared.events.event import Correction, Event, Voiding
from shared.events.recommendations.base import _Recommendations
from shared.events.values import (
    Evidence,
    Flag,
    Id,
    ProvisionId,
    Reference,
    Seen,
    SessionNumber,
    ShortText,
    Text,
    Version,
    WorldDate,
    one_of,
)
from shared.events.words import (
    DispositionOutcome,
    Progress,
    RecommendationKind,
    Status,
)

OneSided = TypeVar("OneSided", bound=Event)
TextVersionNumber = Annotated[
    Version,
    Field(description="the version of the text, numbered by the event that stated it", examples=[1]),
]


class RecommendationDrafted(_Recommendations):
    """A recommendation was drafted under this system's own reference."""

    fixed: ClassVar[frozenset[str]] = frozenset({"reference"})
    begins: ClassVar[tuple[str, str] | None] = ("recommendation", "reference")

    reference: Reference
    title: ShortText
    text: Text | None = None
    kinds: tuple[RecommendationKind, ...] = ()
    addressees: tuple[ShortText, ...] = ()
    themes: tuple[ShortText, ...] = ()
    priority: Id | None = None
    on: WorldDate | None = None


class RecommendationRevised(_Recommendations):
    """The recommendation was changed; a field that is left out stays as it was. Title or text make a text version."""

    title: ShortText | None = None
    text: Text | None = None
    kinds: tuple[RecommendationKind, ...] | None = None
    addressees: tuple[ShortText, ...] | None = None
    themes: tuple[ShortText, ...] | None = None
    priority: Id | None = None
    on: WorldDate | None = None
    clerical: Flag | None = Field(
        None, description="puts a slip of an adopted text right; such a version needs no new adoption"
    )


class _Citation(_Recommendations):
    fixed: ClassVar[frozenset[str]] = frozenset({"instrument", "provision"})

    instrument: Id
    provision: ProvisionId
    on: WorldDate | None = None


class MandateCited(_Citation):
    """The recommendation rests on this provision."""

    cited_by: ShortText | None = Field(None, description="the body or office that cites it; never a person")


class MandateUncited(_Citation):
    """The recommendation no longer rests on this provision."""

    reason: Text


class CitationReconfirmed(_Citation):
    """The citation stands although the instrument was superseded by the one named."""

    fixed: ClassVar[frozenset[str]] = frozenset({"instrument", "provision", "superseded_by"})

    superseded_by: Id


class OriginRecorded(_Recommendations):
    """The recommendation's origin was recorded: a meeting, or a document and its paragraph."""

    model_config = one_of("meeting", "document")

    meeting: Id | None = None
    document: ShortText | None = None
    symbol: ShortText | None = None
    symbol_status: Status | None = None
    paragraph: ShortText | None = None
    on: WorldDate | None = None
    seen: Seen | None = None

    @model_validator(mode="after")
    def _meeting_or_document(self) -> Self:
        if (self.meeting is None) == (self.document is None):
            raise ValueError("names either a meeting or a document")
        return self


class RecommendationDiscussed(_Recommendations):
    """A meeting took the recommendation up; `on` is the meeting's own date."""

    fixed: ClassVar[frozenset[str]] = frozenset({"meeting"})

    meeting: Id
    on: WorldDate | None = None
    seen: Seen


class RecommendationAdopted(_Recommendations):
    """The group adopted it at a meeting, or an old record says that it was adopted and not where."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["meeting"]},
                {"required": ["note", "status"], "properties": {"status": {"const": "unknown"}}},
            ]
        }
    )

    meeting: Id | None = None
    outcome: Id | None = Field(None, description="the decision of that meeting on which the adoption rests")
    adopted_on: WorldDate | None = None
    text_version: TextVersionNumber | None = None
    seen: Seen | None = None

    @model_validator(mode="after")
    def _placed_or_unknown(self) -> Self:
        if self.meeting is None and (self.status != "unknown" or self.note is None):
            raise ValueError("an adoption without a meeting has status unknown and a note that says why")
        return self


class RecommendationTransmitted(_Recommendations):
    """The recommendation went to a session of the Committee."""

    fixed: ClassVar[frozenset[str]] = frozenset({"session"})

    session: SessionNumber
    document_symbol: ShortText | None = None
    symbol_status: Status | None = None
    on: WorldDate | None = None
    text_version: TextVersionNumber | None = None


class CommitteeDispositionRecorded(_Recommendations):
    """The Committee disposed of the recommendation."""

    fixed: ClassVar[frozenset[str]] = frozenset({"session"})

    session: SessionNumber
    outcome: DispositionOutcome
    on: WorldDate | None = None
    report_symbol: ShortText | None = None
    symbol_status: Status | None = None
    paragraph: ShortText | None = None


class RecommendationCarried(_Recommendations):
    """An instrument took the recommendation up."""

    fixed: ClassVar[frozenset[str]] = frozenset({"instrument"})

    instrument: Id
    on: WorldDate | None = None


class FollowUpReported(_Recommendations):
    """Progress on the recommendation was reported."""

    action: ShortText | None = Field(
        None, description="the action reported on; without one, body responsible and due date tell it from others"
    )
    responsible: ShortText | None = Field(None, description="the body or office responsible; never a person")
    progress: Progress
    evidence: Evidence | None = None
    on: WorldDate | None = None
    due: WorldDate | None = None


class RecommendationSuperseded(_Recommendations):
    """A later recommendation took its place (`by`), or it took the place of an earlier one (`supersedes`)."""

    model_config = one_of("by", "supersedes")
    fixed: ClassVar[frozenset[str]] = frozenset({"by", "supersedes"})

    by: Reference | None = None
    supersedes: Reference | None = None
    on: WorldDate | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        return _exactly_one(self, "by", "supersedes")


class RecommendationMerged(_Recommendations):
    """It was merged `into` another, or it `absorbs` another."""

    model_config = one_of("into", "absorbs")
    fixed: ClassVar[frozenset[str]] = frozenset({"into", "absorbs"})

    into: Reference | None = None
    absorbs: Reference | None = None
    on: WorldDate | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        return _exactly_one(self, "into", "absorbs")


class RecommendationSplit(_Recommendations):
    """It was split `into` others, or came of a split of another (`split_from`)."""

    model_config = one_of("into", "split_from")
    fixed: ClassVar[frozenset[str]] = frozenset({"into", "split_from"})

    into: tuple[Reference, ...] | None = Field(None, min_length=2)
    split_from: Reference | None = None
    on: WorldDate | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        return _exactly_one(self, "into", "split_from")


class RecommendationWithdrawn(_Recommendations):
    """The group took it back."""

    reason: Text
    on: WorldDate | None = None


class RecordCorrected(Correction, _Recommendations):
    """An earlier event of this stream was wrong; this is its whole new data."""


class RecordVoided(Voiding, _Recommendations):
    """An earlier event of this stream should not have been recorded: the stream is folded without it."""


def _exactly_one(event: OneSided, *names: str) -> OneSided:
    if sum(getattr(event, name) is not None for name in names) != 1:
        raise ValueError(f"names exactly one of {', '.join(names)}")
    return event

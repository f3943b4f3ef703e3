"""The rules of text versions, each a rejection whose name is a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shared.domain.rejections import Rejection, UnknownReference


@dataclass(frozen=True)
class TextVersionNotOnRecord(UnknownReference):
    """A text version is named by the number of the event that stated it."""

    says: ClassVar[str] = "{stream} has no version {text_version} of its text: there are {on_record}"

    stream: str
    text_version: int
    on_record: str


@dataclass(frozen=True)
class TextVersionNotAdopted(Rejection):
    """A text version is transmitted only after its own adoption was recorded."""

    says: ClassVar[str] = (
        "version {text_version} of the text of {stream} was not adopted: record its adoption, or name one that was "
        "({adopted}) by `text_version`"
    )

    stream: str
    text_version: int
    adopted: str


@dataclass(frozen=True)
class AdoptedTextIsFixed(Rejection):
    """Title and text of a version that was adopted or transmitted are never changed in place."""

    says: ClassVar[str] = (
        "version {text_version} of the text of {stream} was adopted or transmitted, and its title and text are fixed: "
        "`revise` it and `adopt` the new version, or `revise` it with `clerical` where this only puts a slip right"
    )

    stream: str
    text_version: int


@dataclass(frozen=True)
class AdoptedTextRestsOnIt(Rejection):
    """Title and text of a version that was adopted or transmitted never change by a void."""

    says: ClassVar[str] = (
        "version {text_version} of the text of {stream}, which version {chosen_by} adopts or transmits, would read "
        "otherwise without version {version}: void that adoption or transmission first "
        "(`throughline void {stream} {chosen_by}`)"
    )

    stream: str
    version: int
    text_version: int
    chosen_by: int


@dataclass(frozen=True)
class TextReadsOtherwiseNow(Rejection):
    """An adoption or transmission holds again only of the words that it was recorded of."""

    says: ClassVar[str] = (
        "version {text_version} of the text of {stream} reads otherwise now than when version {chosen_by} adopted or "
        "transmitted it: leave that void, and `adopt` (then `transmit`) the text as it reads now"
    )

    stream: str
    text_version: int
    chosen_by: int


@dataclass(frozen=True)
class TextIsBeforeTheCommittee(Rejection):
    """The text is not revised while it lies before the Committee."""

    says: ClassVar[str] = (
        "{stream} lies before session {session} of the Committee, and its title and text are fixed: record first what "
        "the Committee did with it (`dispose`), or `revise` it with `clerical` where this only puts a slip right"
    )

    stream: str
    session: int


@dataclass(frozen=True)
class ClericalVersionFollowsNoAdoptedText(Rejection):
    """A clerical version puts an adopted text right."""

    says: ClassVar[str] = (
        "version {text_version} of the text of {stream} was not adopted, so no adoption is lost: leave `clerical` out"
    )

    stream: str
    text_version: int

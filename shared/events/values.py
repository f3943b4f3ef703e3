"""Value types of the published language: texts, ids, dates known in part, references, sealed fields."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, StringConstraints, model_validator

from shared.events.wording import form
from shared.events.words import Channel

TEXT_LIMIT = 20_000
ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
ID_IN_WORDS = "up to 100 letters, digits, '.', '_' and '-', a letter or digit first, as in teg-2024"
ACRONYM = "[A-Z][A-Z0-9]{1,9}"
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_FORBIDDEN_IN_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_DATE_PARTS = "([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?"
_OFFSET = "(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
_TIME_OF_DAY = f"[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.][0-9]{{1,9}})?)?{_OFFSET}"
_DATE = re.compile(_DATE_PARTS)
_TIME = re.compile(f"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{_TIME_OF_DAY}")


class Model(BaseModel):
    """A value: frozen, and closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", cache_strings="keys")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy with some fields replaced, which are not validated: as pydantic's own, at a fifth of its cost."""
        if deep or update is None:
            return super().model_copy(update=update, deep=deep)
        copied = self.__class__.__new__(self.__class__)
        object.__setattr__(copied, "__dict__", {**self.__dict__, **update})
        object.__setattr__(copied, "__pydantic_fields_set__", self.__pydantic_fields_set__ | update.keys())
        object.__setattr__(copied, "__pydantic_extra__", None)
        object.__setattr__(copied, "__pydantic_private__", None)
        return copied


def one_of(*names: str) -> ConfigDict:
    """Require exactly one of these fields in a model's JSON Schema."""
    return ConfigDict(json_schema_extra={"oneOf": [{"required": [name]} for name in names]})


def _printable(text: str) -> str:
    if _FORBIDDEN.search(text):
        raise ValueError("holds a control character; only line breaks and tabs are text")
    if not text.strip():
        raise ValueError("is blank; leave the field out instead")
    return text


def _one_line(text: str) -> str:
    if _FORBIDDEN_IN_LINE.search(text):
        raise ValueError("holds a control character or a line break; it is one line of text")
    if not text.strip():
        raise ValueError("is blank; leave the field out instead")
    return text


@lru_cache(maxsize=16_384)
def _possible_date(text: str) -> str:
    if (match := _DATE.fullmatch(text)) is None:
        raise ValueError("is not a date: write YYYY, YYYY-MM or YYYY-MM-DD, as far as it is known")
    year, month, day = (int(part) if part else 1 for part in match.groups())
    try:
        date(year, month, day)
    except ValueError as error:
        raise ValueError(f"is not a date that exists: {error}") from None
    return text


@lru_cache(maxsize=16_384)
def _possible_time(text: str) -> str:
    if _DATE.fullmatch(text):
        return _possible_date(text)
    if _TIME.fullmatch(text) is None:
        raise ValueError("is neither a date (YYYY, YYYY-MM, YYYY-MM-DD) nor a time with an offset (RFC 3339)")
    try:
        datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise ValueError(f"is not a time that exists: {error}") from None
    return text.upper()


Text = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_LIMIT), AfterValidator(_printable)]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_one_line)]
Id = Annotated[
    str,
    StringConstraints(pattern=form(ID, ID_IN_WORDS)),
    Field(description="an opaque id: letters, digits, '.', '_' and '-'; never a person's name", examples=["teg-2024"]),
]
ProvisionId = Annotated[
    str,
    StringConstraints(
        pattern=form(
            r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9][A-Za-z0-9._-]{0,99})?$",
            "an id, or two with a slash between them, as in 75-4/technical-support",
        )
    ),
    Field(description="a provision's id within its instrument", examples=["75-4/technical-support"]),
]
Reference = Annotated[
    str,
    StringConstraints(
        pattern=form(
            f"^{ACRONYM}/[12][0-9]{{3}}/R[1-9][0-9]{{0,4}}$",
            "the Committee's acronym in capitals and digits, a year, and R with a number, as in CED/2022/R1",
        )
    ),
    Field(
        description="a recommendation's reference; this system's own, not a United Nations symbol",
        examples=["CED/2022/R1"],
    ),
]
Member = Annotated[
    str,
    StringConstraints(pattern=form(r"^[A-Z]{3}$", "three capital letters, ISO 3166-1 alpha-3, as in FJI")),
    Field(description="a member or associate member, ISO 3166-1 alpha-3", examples=["FJI"]),
]
Digest = Annotated[
    str,
    StringConstraints(pattern=form(r"^[0-9a-f]{64}$", "64 digits and small letters from a to f, a SHA-256 in hex")),
    Field(description="SHA-256 of a document's bytes, hex", examples=["0" * 64]),
]
WorldDate = Annotated[
    str,
    AfterValidator(_possible_date),
    Field(
        description="a date in the world, as far as it is known: YYYY, YYYY-MM or YYYY-MM-DD",
        examples=["2023-09"],
        json_schema_extra={"pattern": f"^{_DATE_PARTS}$"},
    ),
]
WorldTime = Annotated[
    str,
    AfterValidator(_possible_time),
    Field(
        description="a time in the world with its offset, or a date as far as it is known",
        examples=["2022-03-18T10:00:00+07:00"],
        json_schema_extra={"pattern": f"^(?:{_DATE_PARTS}|{_TIME.pattern})$"},
    ),
]
Link = Annotated[
    str,
    StringConstraints(
        max_length=500, pattern=form(r"^https://[!-~]+$", "an address that begins with https://, without spaces")
    ),
    Field(description="a page that all who read the record may open; never with a password in it"),
]
Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict(), Field(ge=0, le=100_000)]
SessionNumber = Annotated[int, Strict(), Field(ge=1, le=999, description="a Committee session", examples=[7])]
Version = Annotated[int, Strict(), Field(ge=1, le=2**31 - 1)]
MediaType = Annotated[
    str,
    StringConstraints(
        pattern=form(r"^[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,100}$", "a media type in small letters, as in text/html")
    ),
]
Language = Annotated[
    str,
    StringConstraints(pattern=form(r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$", "a language tag, as in en or zh-Hans")),
    Field(examples=["en"]),
]


def earliest_day(when: str) -> date:
    """Return the first day that a date known in part may mean (a time counts on its own local day)."""
    year, month, day = _parts(when)
    return date(year, month or 1, day or 1)


def latest_day(when: str) -> date:
    """Return the last day that a date known in part may mean: `2023-09` is 30 September."""
    year, month, day = _parts(when)
    month = month or 12
    return date(year, month, day or calendar.monthrange(year, month)[1])


def _parts(when: str) -> tuple[int, int | None, int | None]:
    match = _DATE.fullmatch(when[:10])
    if match is None:
        raise ValueError(f"{when!r} is not a date")
    year, month, day = match.groups()
    return int(year), int(month) if month else None, int(day) if day else None


class ProvisionRef(Model):
    """One provision of one instrument."""

    instrument: Id
    provision: ProvisionId


class Seen(Model):
    """The stream and version on which a decision rests."""

    stream: str
    version: Version


class Sealed(Model):
    """A person's name, contact and free text, encrypted under that person's key (AES-256-GCM, base64)."""

    person: Id
    box: Annotated[str, StringConstraints(pattern=form(r"^[A-Za-z0-9+/]{38,40000}={0,2}$", "a ciphertext in base64"))]


class NoteVerbale(Model):
    """The Government's own paper: its channel, its reference, and the digest of its bytes."""

    channel: Channel
    reference: ShortText
    digest: Digest | None = None


class Evidence(Model):
    """Proof that something was done: exactly one of these."""

    model_config = one_of("meeting", "deliverable", "session", "document", "digest", "text")

    meeting: Id | None = None
    deliverable: Id | None = None
    session: SessionNumber | None = None
    document: ShortText | None = None
    digest: Digest | None = None
    text: Text | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("names exactly one of meeting, deliverable, session, document, digest, text")
        return self


class Rendition(Model):
    """One form of a document: its format, language, digest, and the accessibility checks that it passed."""

    media_type: MediaType
    language: Language
    digest: Digest
    accessibility_checks: tuple[ShortText, ...] = ()
    accessible: Flag | None = None

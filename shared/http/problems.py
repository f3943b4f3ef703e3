"""Refusals as RFC 9457 problems, which name the field or the rule, its kind and paragraph."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Self

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from shared.domain.rejections import EventTooLarge, NotHeardYet, Rejection
from shared.domain.single_facts import FactRefused

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1
NAME_SHOWN = 200
DETAIL_FAULTS = 5
ALIKE_SHOWN = 3
_INDEX = re.compile(r"(?<=[.])[0-9]+(?=[.]|$)")
TITLES = {
    "BodyNotJson": "The body is not JSON",
    "BodyTooLarge": "The body is too large",
    "ClocksDiffer": "The clocks of the service and its database differ",
    "DigestDiffers": "The bytes have another digest",
    "ExpertNotAPerson": "The claim of an expert is no person",
    "FaultOfOurs": "A fault of the service",
    "IfMatchNotAVersion": "If-Match names no version",
    "KeysUnavailable": "Tokens cannot be checked now",
    "MemberNotGiven": "A focal point of no member",
    "NameWasErased": "Your name was erased",
    "NotHeardYet": "The service has not consumed this yet",
    "NotOnRecord": "Not on record",
    "NotServed": "Nothing is served here in this way",
    "NotYoursToRead": "This is not yours to read",
    "OutOfOrder": "This does not fit the state of the record",
    "RoleMayNot": "This role may not do this",
    "RoleNotGiven": "You have no role here",
    "SchemaViolation": "The request does not have the form that is described",
    "SeveralRoles": "You have more than one role",
    "StillPoison": "The record still cannot be consumed",
    "StoreClosed": "The store takes nothing now",
    "StoreIncomplete": "The store lacks an event",
    "StoreUnavailable": "The database does not answer",
    "TokenNotAccepted": "No valid token",
    "TokenOfNoMember": "The token's member is none of ESCAP",
    "TooManyDocuments": "No more documents are stored",
    "TooManyFailures": "Too many requests without a valid token",
    "TooManyUploads": "Too many uploads at a time",
    "TooManyWriters": "Too many write to this record",
    "TraceHasFault": "The trace is not shown",
}
"""The titles of the problems that are no rejection of a command, by rule."""


class FieldError(BaseModel):
    """The error of one field."""

    field: str = Field(examples=["body.member"])
    rule: str = Field(examples=["string_pattern_mismatch"])
    message: str

    @classmethod
    def of(cls, field: str, rule: str, message: str) -> Self:
        """Return the error of a field whose name may come from a caller: truncated, unprintable characters escaped."""
        shown = field if field.isprintable() else field.encode("unicode_escape").decode()
        return cls(field=shown[:NAME_SHOWN], rule=rule, message=message)


class ProblemDetails(BaseModel):
    """An RFC 9457 problem."""

    type: str = Field(examples=["urn:throughline:problem:MeetingNotHeld"])
    title: str
    status: int
    detail: str
    rule: str | None = None
    kind: str | None = Field(None, description="note, house rule, order or reference")
    paragraph: str | None = Field(None, description="the founding note's paragraph, for rules of kind note")
    errors: list[FieldError] | None = None


class Refused(Exception):
    """A request to answer with a problem. `recorded` is true if the refusal is stored already."""

    def __init__(
        self,
        status: int,
        rule: str,
        detail: str,
        *,
        title: str | None = None,
        headers: Mapping[str, str] | None = None,
        recorded: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.title = title or TITLES.get(rule, rule)
        self.status = status
        self.rule = rule
        self.detail = detail
        self.headers = dict(headers or {})
        self.recorded = recorded
        self.more = more

    def response(self) -> JSONResponse:
        """Return the problem as a response."""
        details = ProblemDetails(
            type=f"urn:throughline:problem:{self.rule}",
            title=self.title,
            status=self.status,
            detail=self.detail,
            rule=self.rule,
            **self.more,
        )
        content = details.model_dump(exclude_none=True)
        return JSONResponse(content, self.status, headers=self.headers, media_type=MEDIA_TYPE)


def refused(rejection: Rejection) -> Refused:
    """Return the problem for a rejection that its handler has recorded."""
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if isinstance(rejection, NotHeardYet) else {}
    more: dict[str, Any] = {}
    if isinstance(rejection, EventTooLarge):
        more["errors"] = [FieldError.of(f"body.{rejection.field}", "event_too_large", rejection.detail)]
    elif isinstance(rejection, FactRefused):
        more["errors"] = [FieldError.of(f"body.{rejection.field}", rejection.rule, rejection.sentence())]
    return Refused(
        rejection.http_status,
        rejection.rule,
        rejection.sentence(),
        title=rejection.title,
        headers=headers,
        recorded=True,
        kind=rejection.kind,
        paragraph=rejection.paragraph,
        **more,
    )


def invalid(faults: Iterable[FieldError]) -> Refused:
    """Return the refusal of fields that do not fit their schema."""
    errors = _few_of_each_kind(faults)
    detail = "; ".join(f"{fault.field}: {fault.message}" for fault in errors[:DETAIL_FAULTS])
    more = f"; and {len(errors) - DETAIL_FAULTS} more" if len(errors) > DETAIL_FAULTS else ""
    return Refused(422, "SchemaViolation", f"{detail}{more}", errors=errors)


def _few_of_each_kind(faults: Iterable[FieldError]) -> list[FieldError]:
    """Return the first errors of each rule in the fields of one list; the last of them says how many are left out."""
    kinds: dict[tuple[str, str], list[FieldError]] = {}
    for fault in faults:
        kinds.setdefault((_INDEX.sub("*", fault.field), fault.rule), []).append(fault)
    return [shown for alike in kinds.values() for shown in _few(alike)]


def _few(alike: list[FieldError]) -> list[FieldError]:
    *few, last = alike[:ALIKE_SHOWN]
    left = len(alike) - ALIKE_SHOWN
    counted = last.model_copy(update={"message": f"{last.message} (and {left} more like it)"}) if left > 0 else last
    return [*few, counted]
